from __future__ import annotations

import random

import pytest
from fakes.logscene import init, line, rid, run, stream
from msgspec.structs import replace

from lambdatop.domain.loglines.line import LogLine, parse
from lambdatop.domain.loglines.records import GAP_S, MOST_LATE, MOST_LINES, MOST_STREAMS, Joiner, Record, join

PYTHON = [
    "Traceback (most recent call last):",
    '  File "/var/task/app.py", line 12, in handler',
    "    return go(event)",
    "           ^^^^^^^^^",
    "KeyError: 'id'",
    "",
    "During handling of the above exception, another exception occurred:",
    "",
    "Traceback (most recent call last):",
    '  File "/var/task/app.py", line 14, in handler',
    "ValueError: bad order",
]
TITLED = [
    "[ERROR] ValueError: bad order",
    "Traceback (most recent call last):",
    '  File "/var/task/app.py", line 12, in handler',
    "    raise ValueError(x)",
]
NODE = [
    "TypeError: x is not a function",
    "    at Runtime.handler (/var/task/index.js:3:9)",
    "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {",
    "  code: 'E_X',",
    "}",
    "Node.js v22.1.0",
]
NODE_SOURCE = [
    "/var/task/index.js:3",
    "const x = ;",
    "          ^",
    "",
    "SyntaxError: Unexpected token ';'",
    "    at wrapSafe (node:internal/modules/cjs/loader:1378:20)",
]
JAVA = [
    "java.lang.RuntimeException: order 5",
    "\tat example.Handler.handleRequest(Handler.java:12)",
    "Caused by: java.net.ConnectException: refused",
    "\tat java.base/sun.nio.ch.Net.connect(Net.java:1)",
    "\t... 12 more",
    "\tSuppressed: java.lang.Exception: close",
]
DOTNET = [
    "System.InvalidOperationException: bad",
    " ---> System.IO.IOException: inner",
    "   at Example.Inner() in /src/F.cs:line 3",
    "   --- End of inner exception stack trace ---",
    "   at Example.Function.Handler(String input) in /src/F.cs:line 12",
    "--- End of stack trace from previous location ---",
    "   at Example.Outer()",
]
RUBY = [
    "/var/task/function.rb:3:in `handler': bad (RuntimeError)",
    "\tfrom /var/runtime/lib/runtime.rb:28:in `run'",
    "\tfrom /var/runtime/lib/runtime.rb:90:in `<main>'",
]
GO = [
    "panic: runtime error: index out of range [5] with length 3",
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48]",
    "",
    "goroutine 1 [running]:",
    "main.(*App).handler(0xc000012345, {0x1, 0x2})",
    "\t/src/main.go:12 +0x1d",
    "created by main.main in goroutine 1",
    "\t/src/main.go:40 +0x65",
    "exit status 2",
]
RUST = [
    "thread 'main' panicked at src/main.rs:3:5:",
    "index out of bounds: the len is 3 but the index is 5",
    "stack backtrace:",
    "   0: rust_begin_unwind",
    "             at /rustc/1/library/std/src/panicking.rs:695:5",
    "note: run with `RUST_BACKTRACE=full`",
]
TRACES = {
    "python": PYTHON,
    "titled": TITLED,
    "node": NODE,
    "node-source": NODE_SOURCE,
    "java": JAVA,
    "dotnet": DOTNET,
    "ruby": RUBY,
    "go": GO,
    "rust": RUST,
}


def events(texts: list[str], at: float = 10.0, env: int = 0) -> list[LogLine]:
    """Return one event per text, a millisecond apart."""
    return [
        parse(round(at + i / 1000, 3), f"{env}-{at}-{i:04}", stream(env), text)
        for i, text in enumerate(texts)
    ]


def shapes(records: tuple[Record, ...]) -> list[tuple[str, ...]]:
    return [tuple(n.event_id for n in r.lines) for r in records]


@pytest.mark.parametrize("language", TRACES)
def test_a_trace_is_one_record_with_its_request(language: str) -> None:
    trace = TRACES[language]
    lines = [
        line(9.0, f"START RequestId: {rid(1)} Version: $LATEST"),
        line(9.5, "order 5 accepted"),
        *events(trace),
        line(10.5, "giving up"),
        line(11.0, f"END RequestId: {rid(1)}"),
    ]
    found = join(lines)
    assert [len(r.lines) for r in found] == [1, 1, len(trace), 1, 1]
    record = found[2]
    assert record.text.split("\n") == [t.replace("\t", "    ") for t in trace]
    assert (record.kind, record.level, record.request_id) == ("error", "error", rid(1))
    assert {r.request_id for r in found} == {rid(1)}


@pytest.mark.parametrize("language", TRACES)
def test_what_follows_a_trace_is_not_part_of_it(language: str) -> None:
    trace = [t for t in TRACES[language] if not t.startswith(("created by", "Node.js", "exit status"))]
    for after in ("hello", "order: 5", '{"level":"INFO"}', "[INFO] 2026-11-21T04:11:00.123Z x y"):
        found = join(events([*trace, after]))
        assert (len(found), found[-1].rest, found[-1].text) == (2, (), after)


def test_the_order_of_arrival_does_not_matter() -> None:
    lines = [
        *run(1, 5.0, says=("a",)),
        *events(PYTHON, 20.0),
        *events(JAVA, 20.0, env=1),
        *run(2, 30.0, env=1, says=("b", "c")),
        init(4.0),
    ]
    lines = [replace(n, seq=i) for i, n in enumerate(lines, 1)]
    expected = join(lines)
    assert sum(len(r.lines) for r in expected) == len(lines)
    assert [len(r.lines) for r in expected if r.kind == "error"] == [len(PYTHON), len(JAVA)]
    for seed in range(30):
        shuffled = random.Random(seed).sample(lines, len(lines))
        assert join(shuffled) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_batches_give_the_same_records_as_the_whole(size: int) -> None:
    lines = [
        *run(1, 5.0, says=("a", "b")),
        *events(PYTHON, 6.0),
        *events(GO, 20.0),
        *run(2, 30.0),
        *events(NODE, 40.0),
    ]
    lines.sort(key=lambda n: (n.at, n.kind == "report", n.kind == "end"))
    joiner = Joiner()
    done: list[Record] = []
    for i in range(0, len(lines), size):
        done += joiner.feed(lines[i : i + size])
    assert tuple((*done, *joiner.open())) == join(lines)


def test_an_open_record_grows_and_settles() -> None:
    joiner = Joiner()
    lines = events(JAVA)
    assert joiner.feed(lines[:2]) == ()
    assert [len(r.lines) for r in joiner.open()] == [2]
    assert joiner.feed(lines[2:]) == ()
    assert [len(r.lines) for r in joiner.open()] == [len(JAVA)]
    assert joiner.settle(lines[-1].at) == ()
    assert [len(r.lines) for r in joiner.settle(lines[-1].at + 1)] == [len(JAVA)]
    assert joiner.open() == () == joiner.settle(1e9)


def test_a_late_line_finds_its_place_in_the_open_record() -> None:
    joiner, lines = Joiner(), events(JAVA)
    joiner.feed([*lines[:2], *lines[3:]])
    joiner.feed([lines[2]])
    assert shapes(joiner.open()) == [tuple(n.event_id for n in lines)]
    joiner = Joiner()
    joiner.feed(lines[1:])
    joiner.feed(lines[:1])
    assert shapes(joiner.open()) == [tuple(n.event_id for n in lines)]


def test_a_late_line_makes_nobody_read_a_long_record_again() -> None:
    joiner = Joiner()
    joiner.feed([line(5.0 + n / 1000, "    at f (a.js:1:2)") for n in range(2 * MOST_LATE)])
    late = [line(5.0505 + n / 1e6, "    at g (b.js:1:2)") for n in range(50)]
    assert [r.text for r in joiner.feed(late)] == [n.text for n in late]
    assert [len(r.lines) for r in joiner.open()] == [2 * MOST_LATE]


def test_a_late_line_knows_the_request_of_its_time_and_disturbs_nothing() -> None:
    joiner = Joiner()
    first, second = run(1, 5.0), run(2, 8.0)
    joiner.feed([*first, *second[:1], *events(NODE[:2], 8.01)])
    late = joiner.feed([line(5.05, "slow flush")])
    assert [(r.text, r.request_id) for r in late] == [("slow flush", rid(1))]
    joiner.feed(events(NODE[2:3], 8.02))
    assert [(len(r.lines), r.request_id) for r in joiner.open()] == [(3, rid(2))]


def test_a_late_start_is_counted_for_what_follows_it() -> None:
    joiner = Joiner()
    start = line(5.0, f"START RequestId: {rid(1)} Version: 1")
    joiner.feed([line(5.1, "a")])
    done = joiner.feed([start, line(5.2, "b")])
    assert [(r.text[:5], r.request_id) for r in done] == [("START", rid(1)), ("a", rid(1))]
    assert joiner.open()[0].request_id == rid(1)


def test_between_end_and_start_a_line_belongs_to_nobody() -> None:
    found = join([*run(1, 5.0), line(6.0, "extension flushes"), *run(2, 7.0, says=("x",))])
    assert [r.kind for r in found] == ["start", "end", "report", "app", "start", "app", "end", "report"]
    assert [r.request_id for r in found] == [rid(1)] * 3 + [""] + [rid(2)] * 4


def test_whose_id_counts() -> None:
    other = f"[INFO]\t2026-11-21T04:11:00.123Z\t{rid(9)}\tx"
    assert join([line(1.0, other)])[0].request_id == rid(9)  # no START in view
    assert join([*run(1, 5.0)[:1], line(5.01, other)])[1].request_id == rid(1)  # not started here
    both = [*run(9, 4.0)[:1], *run(1, 5.0)[:1], line(5.01, other)]
    assert join(both)[2].request_id == rid(9)  # two at once in one environment
    timeout = f"2026-11-21T04:11:00.123Z {rid(9)} Task timed out after 3.00 seconds"
    assert join([*run(1, 5.0)[:1], line(5.01, timeout)])[1].request_id == rid(9)


def test_xray_on_a_line_of_its_own_belongs_to_its_report() -> None:
    found = join([*run(1, 5.0), line(5.101, "XRAY TraceId: 1-5\tSegmentId: 7\tSampled: true")])
    assert [(r.kind, len(r.lines), r.request_id) for r in found[2:]] == [("report", 2, rid(1))]


def test_two_streams_do_not_mix() -> None:
    a, b = events(JAVA, 10.0, env=1), events(PYTHON, 10.0, env=2)
    found = join([n for pair in zip(a, b, strict=False) for n in pair])
    assert sorted(len(r.lines) for r in found)[-1] == len(a)
    assert all(len({n.stream for n in r.lines}) == 1 for r in found)


def test_a_tail_that_begins_amid_a_trace_still_joins_it() -> None:
    assert [len(r.lines) for r in join(events(JAVA[1:]))] == [len(JAVA) - 1]
    assert [len(r.lines) for r in join(events(PYTHON[1:]))] == [len(PYTHON) - 1]


def test_what_is_far_away_in_time_does_not_go_on() -> None:
    first, *rest = events(JAVA[:2])
    assert len(join([first, *rest])) == 1
    late = parse(first.at + GAP_S + 0.1, "z", first.stream, JAVA[1])
    assert len(join([first, late])) == 2


def test_a_handled_error_keeps_its_level() -> None:
    stamp = "2026-11-21T04:11:00.123Z"
    warned = events([f"{stamp}\t{rid(1)}\tWARN\tretry: Error: EMFILE", "    at x (/a.js:1:1)"])
    assert [(r.kind, r.level, r.signature) for r in join(warned)] == [("app", "warn", "too_many_files")]
    debug = events([f"{stamp}\t{rid(1)}\tDEBUG\tretry", "    at EMFILE (/a.js:1:1)"])
    assert [(r.kind, r.level, r.signature) for r in join(debug)] == [("app", "debug", "")]


def test_two_errors_in_a_row_are_two_records() -> None:
    assert len(join(events([*JAVA, *JAVA]))) == 2
    assert len(join(events([*PYTHON, *PYTHON]))) == 2
    assert len(join(events([*NODE, *NODE]))) == 2
    assert len(join(events(["panic: a", "panic: b [recovered]"]))) == 1


def test_indented_output_is_no_trace() -> None:
    assert len(join(events(["table:", "  a  1", "  b  2", "  from here to there"]))) == 4


def test_a_record_is_bounded() -> None:
    texts = [JAVA[0], *["\tat a.B.c(D.java:1)"] * (MOST_LINES + 10)]
    lines = [parse(10.0, f"{i:06}", "s", text) for i, text in enumerate(texts)]
    assert [len(r.lines) for r in join(lines)] == [MOST_LINES, 11]


def test_a_joiner_forgets_the_stream_without_lines_for_longest() -> None:
    joiner = Joiner()
    done = joiner.feed([parse(float(i), f"{i:06}", f"s{i}", "x") for i in range(MOST_STREAMS + 2)])
    assert len(joiner.open()) == MOST_STREAMS
    assert sorted(r.stream for r in done) == ["s0", "s1"]


def test_a_long_stream_in_one_batch_keeps_every_request() -> None:
    lines = [n for i in range(300) for n in run(i, 5.0 + i, says=("x",))]
    assert [r.request_id for r in join(lines) if r.text == "x"] == [rid(i) for i in range(300)]


def test_carriage_returns_end_lines() -> None:
    text = "[ERROR] ValueError: x\rTraceback (most recent call last):\r\n  File"
    record = join(events([text]))[0]
    assert record.text == "[ERROR] ValueError: x\nTraceback (most recent call last):\n  File"
