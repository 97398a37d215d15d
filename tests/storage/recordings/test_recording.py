"""Recordings: what was recorded comes back equal; what makes no sense is refused with its place."""

from __future__ import annotations

import gzip
import json
import os
import typing
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from scenes.shaped import shaped

from lambdatop.domain.facts.series import SeriesKey
from lambdatop.domain.keys import Key, Scope
from lambdatop.domain.state import events as ev
from lambdatop.storage.errors import RecordingError
from lambdatop.storage.recordings.event_codec import EVENTS, EventReader, EventWriter
from lambdatop.storage.recordings.recording import SCHEMA, Header, Recorder, read_recording
from lambdatop.storage.recordings.typed_json import Mismatch, codec

HEADER = Header(1_800_000_000.5, "0.1.0", 120.0)
SCOPE = Scope("111122223333", "eu-central-1")
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 2**60) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=12),
    int: st.integers(-(2**70), 2**70),
    bool: st.booleans(),
    float: st.floats(allow_nan=False),
    Any: PLAIN,
    object: PLAIN,
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Return any value of a type hint, by the hint alone."""
    if hint in SCALARS:
        return SCALARS[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return st.one_of(*(st.none() if a is type(None) else values(a) for a in args))
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        if args[-1] is Ellipsis:
            return st.lists(values(args[0]), max_size=3).map(tuple)
        return st.tuples(*(values(a) for a in args))
    if origin is Sequence:
        return st.lists(values(args[0]), max_size=3).map(tuple)
    if origin is not None:
        return st.dictionaries(st.text(max_size=3), PLAIN, max_size=2)
    hints = get_type_hints(hint)
    names = hint.__struct_fields__ if issubclass(hint, Struct) else hint._fields
    return st.builds(hint, **{name: values(hints[name]) for name in names})


any_event = st.one_of(*(values(kind) for kind in EVENTS.values()))

# Metric answers that overlap, so that most of what they say was said before.
POINTS = st.lists(
    st.tuples(st.integers(0, 9).map(lambda m: 60 * m), st.sampled_from([0.0, 1.0, 2.5])), max_size=6
)
SERIES = st.sampled_from([SeriesKey(Key(SCOPE, "function", name), "Errors", "Sum") for name in "abc"])
answers = st.builds(
    ev.MetricsObserved,
    st.just(SCOPE),
    st.floats(0, 999),
    st.sampled_from([0.0, 60.0, 240.5]),
    st.just(600.0),
    st.lists(st.builds(ev.MetricPoints, SERIES, POINTS.map(tuple)), max_size=4).map(tuple),
)


def test_every_event_has_a_line() -> None:
    assert set(EVENTS) == {k.__name__ for k in ev.Event.__subclasses__() if k.__module__ == ev.__name__}
    assert len(EVENTS) >= 16


@settings(max_examples=150, deadline=None)
@given(st.lists(any_event | answers, max_size=6))
def test_what_is_written_is_read_equal(events: list[ev.Event]) -> None:
    writer, reader = EventWriter(), EventReader()
    lines = [writer.line(event) for event in events]
    assert all("\n" not in line for line in lines)
    assert [reader.event(line) for line in lines] == events
    assert reader.unknown == set()


@settings(max_examples=100, deadline=None)
@given(st.lists(answers, max_size=8), st.lists(st.integers(-300, 300), min_size=8, max_size=8))
def test_answers_that_repeat_or_move_their_points_are_read_equal(
    given_: list[ev.MetricsObserved], moves: list[int]
) -> None:
    events = list[ev.Event]()
    for event, move in zip(given_, moves, strict=False):
        moved = tuple(ev.MetricPoints(s, tuple((t + move, v) for t, v in p)) for s, p in event.data)
        events += [event, ev.MetricsObserved(SCOPE, event.at + 1, event.start, event.end, moved)]
    writer, reader = EventWriter(), EventReader()
    assert [reader.event(writer.line(event)) for event in events] == events


def test_a_file_holds_the_header_and_the_events(tmp_path: Path) -> None:
    events = shaped()["json-logs"].events
    for name in ("a.jsonl", "a.jsonl.gz"):
        with Recorder(tmp_path / name, HEADER) as recorder:
            recorder(events[:40])
            recorder(events[40:])
        assert recorder.error == ""
        found = read_recording(tmp_path / name)
        assert (found.header, found.events, found.cut, found.unknown) == (HEADER, events, False, frozenset())
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    plain, packed = ((tmp_path / n).stat().st_size for n in ("a.jsonl", "a.jsonl.gz"))
    assert packed < plain / 4


def test_the_same_events_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        with Recorder(tmp_path / name, HEADER) as recorder:
            recorder(shaped()["kafka-lag"].events)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_a_round_of_metrics_costs_what_is_new_in_it(tmp_path: Path) -> None:
    """60 minutes of history in each answer, one new minute: what is stored does not grow with the history."""
    rounds = [e for e in shaped()["healthy-noise"].events if isinstance(e, ev.MetricsObserved)]
    writer = EventWriter()
    sizes = [len(writer.line(event)) for event in rounds]
    whole = len(json.dumps(codec(ev.MetricsObserved).write(rounds[1])))
    assert whole > 60_000
    assert max(sizes[1:]) < whole / 15


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("mine")
    link = tmp_path / "link.jsonl"
    link.symlink_to(file)
    for path in (file, link):
        with pytest.raises(RecordingError, match="exists already"):
            Recorder(path, HEADER)
    with pytest.raises(RecordingError, match="cannot be made"):
        Recorder(tmp_path / "nowhere" / "a.jsonl", HEADER)
    assert file.read_text() == "mine"


def test_a_disk_that_fails_ends_the_recording_and_nothing_else() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    with Recorder.__new__(Recorder) as recorder:
        recorder.path, recorder.error = full, ""
        recorder._writer = EventWriter()
        unbuffered: Any = full.open("wb", buffering=0)
        recorder._file = recorder._raw = unbuffered
        recorder(shaped()["kafka-lag"].events[:3])
        assert "No space left" in recorder.error
        recorder(shaped()["kafka-lag"].events[3:])


def test_what_a_killed_writer_left_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    events = shaped()["kafka-lag"].events
    with Recorder(tmp_path / "a.jsonl.gz", HEADER) as recorder:
        recorder(events)
    data = (tmp_path / "a.jsonl.gz").read_bytes()
    (tmp_path / "cut.jsonl.gz").write_bytes(data[: len(data) // 2])
    text = gzip.decompress(data)
    (tmp_path / "cut.jsonl").write_bytes(text[: len(text) // 2])
    for name in ("cut.jsonl.gz", "cut.jsonl"):
        found = read_recording(tmp_path / name)
        assert found.cut
        assert 0 < len(found.events) < len(events)
        assert found.events == events[: len(found.events)]


LISTED = '{"event":"AccountObserved","scope":["1","r"],"at":1,"account":'
ACCOUNT = '{"concurrency_limit":1000,"unreserved":900,"code_size_limit_bytes":1,"code_size_bytes":1'


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "no JSON"),
        ("[]", "no event"),
        ('{"event":"Exploded"}', "unknown event 'Exploded'"),
        (LISTED + ACCOUNT + "}}", "AccountObserved.account: AccountFacts lacks function_count"),
        (LISTED + ACCOUNT + ',"function_count":"2"}}', "function_count: a whole number expected, found '2'"),
        (LISTED + ACCOUNT + ',"function_count":true}}', "function_count: a whole number expected"),
        ('{"event":"JournalRead","scope":["1"],"at":1,"entries":[]}', "scope: an array of 2 expected"),
        ('{"event":"JournalRead","scope":["1","r"],"at":"x","entries":[]}', "at: a number expected"),
        (
            '{"event":"SourceReported","scope":["1","r"],"at":1,"source":"logs","state":"odd"}',
            "state: one of starting, ok, stale, denied, throttled, failed expected, found 'odd'",
        ),
        (
            '{"event":"MetricsObserved","scope":["1","r"],"at":1,"start":0,"end":1,"series":[7],"points":[]}',
            "stands for no series",
        ),
        (
            '{"event":"MetricsObserved","scope":["1","r"],"at":1,"start":0,"end":1}',
            "points: an array expected",
        ),
        (
            '{"event":"MetricsObserved","scope":["1","r"],"at":1,"start":0,"end":1,'
            '"new":[[[["1","r"],"queue","q"],"Sent","Sum"]],"series":[0],"points":[[0,3,[]]]}',
            "3 points are kept of 0",
        ),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_its_place(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(Mismatch) as caught:
        EventReader().event(line)
    assert words in str(caught.value)
    file = tmp_path / "bad.jsonl"
    file.write_text(f'{{"schema":"{SCHEMA}","began_at":1,"version":"0","publish_delay_s":120}}\n{line}\n')
    file.chmod(0o600)  # whatever the umask
    with pytest.raises(RecordingError, match=r"bad\.jsonl, line 2: "):
        read_recording(file)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no recording"),
        ("plain text\n", "line 1: no recording"),
        pytest.param("[" * 100_000 + "\n", "line 1: no recording", id="nested"),
        ('{"schema":"lambdatop.recording/2"}\n', "line 1: the schema lambdatop.recording/1 expected"),
        (f'{{"schema":"{SCHEMA}","began_at":1,"version":"0"}}\n', "lacks publish_delay_s"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(RecordingError, match=words):
        read_recording(file)
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recording(tmp_path / "missing.jsonl")


def test_fields_that_came_or_went_do_not_make_a_recording_unreadable() -> None:
    """A field with a default is left out while it stands there; one that nobody knows any more is noted."""
    event = ev.TargetIdentified(SCOPE, 1.0, "me")
    line = EventWriter().line(event)
    assert json.loads(line) == {"event": "TargetIdentified", "scope": list(SCOPE), "at": 1, "identity": "me"}
    reader = EventReader()
    assert reader.event(line[:-1] + ',"shoe_size":44}') == event
    assert reader.unknown == {"TargetIdentified.shoe_size"}


def test_what_no_json_can_hold_is_no_codec() -> None:
    for hint in (set[int], int | str | None, typing.Callable[[], int]):
        with pytest.raises(TypeError, match="no JSON for"):
            codec(hint)


def test_a_recording_that_others_could_have_written_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    with Recorder(file, HEADER):
        pass
    link = tmp_path / "link.jsonl"
    link.symlink_to(file)
    with pytest.raises(RecordingError, match="symbolic link"):
        read_recording(link)
    for mode in (0o620, 0o602, 0o666):
        file.chmod(mode)
        with pytest.raises(RecordingError, match="chmod go-w"):
            read_recording(file)
    file.chmod(0o644)
    assert read_recording(file).header == HEADER
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(RecordingError, match="not a regular file"):
        read_recording(pipe)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_recording_of_somebody_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    with Recorder(file, HEADER):
        pass
    os.chown(file, 12345, -1)
    with pytest.raises(RecordingError, match="somebody else"):
        read_recording(file)
    assert read_recording(file, any_owner=True).header == HEADER
