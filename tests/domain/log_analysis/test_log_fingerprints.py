from __future__ import annotations

import json

import pytest
from fakes.logscene import init, line, rid, run
from fakes.worlds import function

from lambdatop.domain.cost.prices import table_prices
from lambdatop.domain.log_analysis.figures import log_figures
from lambdatop.domain.log_analysis.fingerprints import LENGTH, MOST, digest_errors, fingerprint
from lambdatop.domain.loglines.headline import headline
from lambdatop.domain.loglines.line import LogLine
from lambdatop.domain.loglines.records import join
from lambdatop.domain.loglines.tail import LogTail, append_lines

STAMP = "2026-11-21T04:11:00.123Z"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("KeyError: 'user_id'", "KeyError: <str>"),
        ('bad "quoted \' word" here', "bad <str> here"),
        ("can't start new thread, don't wait", "can't start new thread, don't wait"),
        ("connect ECONNREFUSED 10.0.3.4:5432", "connect ECONNREFUSED <ip>"),
        ("from fe80::1ff:fe23:4567:890a and ::1", "from <ip> and <ip>"),
        ("Foo::Bar failed", "Foo::Bar failed"),
        ("segfault at 0x7fbc12ab", "segfault at <addr>"),
        (f"request {rid(7)} failed", "request <id> failed"),
        ("commit deadbeefcafe0123", "commit <id>"),
        ("key AKIAXYZ123456789ABCDE gone", "key <id> gone"),
        ("order 4711 took 3.5 s", "order # took # s"),
        (f"at {STAMP} and 2026/11/21 04:11:00 and 04:11:00", "at <time> and <time> and <time>"),
        ("arn:aws:sqs:eu-west-1:111122223333:orders is gone", "<arn> is gone"),
        ("arn:aws-us-gov:lambda:x:1:function:f:live!", "<arn>"),
        ("mail to bob.smith+x@mail.example.com bounced", "mail to <email> bounced"),
        ("open /tmp/tmpab12cd/x.json failed", "open /tmp/*/x.json failed"),
        ("GET https://api.example.com/v1/orders/4711 503", "GET https://api.example.com/v#/orders/* #"),
        ("at /var/task/app.js:12:3", "at /var/task/app.js:#:#"),
        ("a\tb\n  c", "a b c"),
        ("", ""),
    ],
)
def test_what_varies_is_left_out(text: str, expected: str) -> None:
    assert fingerprint(text) == expected
    assert fingerprint(expected) == expected


def test_a_fingerprint_is_bounded_and_reads_only_the_beginning() -> None:
    assert len(fingerprint("word " * 5000)) <= LENGTH
    assert fingerprint("x" * MOST + "1") == fingerprint("x" * MOST + "different")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["[ERROR] ValueError: bad\nTraceback (most recent call last):\n  File"], "ValueError: bad"),
        ([f"[ERROR]\t{STAMP}\t{rid(1)}\tcould not charge"], "could not charge"),
        (["Traceback (most recent call last):", '  File "/a.py", line 1', "KeyError: 'x'"], "KeyError: 'x'"),
        ([f"{STAMP}\t{rid(1)}\tERROR\tError: boom", "    at x (/a.js:1:1)"], "Error: boom"),
        (
            [
                f'{STAMP}\t{rid(1)}\tERROR\tInvoke Error \t{{"errorType":"TypeError","errorMessage":"x is 5",'
                '"stack":["a"]}'
            ],
            "TypeError: x is 5",
        ),
        ([json.dumps({"level": "ERROR", "message": "no\x1b[31m db"})], "no db"),
        ([json.dumps({"level": "ERROR", "message": "no\x1b[2J db"})], "no␛[2J db"),
        ([json.dumps({"errorType": "OSError", "errorMessage": "full"})], "OSError: full"),
        (
            [json.dumps({"level": "ERROR", "message": {"errorType": "Error", "errorMessage": "boom"}})],
            "Error: boom",
        ),
        ([json.dumps({"level": 50, "err": {"type": "Error", "message": "x"}, "msg": "failed"})], "failed: x"),
        (['{"level":"ERROR","mess'], '{"level":"ERROR","mess'),
        ([f"RequestId: {rid(1)} Error: Runtime exited\nRuntime.ExitError"], "Error: Runtime exited"),
        ([f"{STAMP} {rid(1)} Task timed out after 3.00 seconds"], "Task timed out after 3.00 seconds"),
        (
            [f"REPORT RequestId: {rid(1)}\tDuration: 5 ms\tStatus: error\tError Type: Runtime.OutOfMemory"],
            "REPORT error Runtime.OutOfMemory",
        ),
    ],
)
def test_the_headline_says_what_went_wrong(texts: list[str], expected: str) -> None:
    records = join([line(1.0 + i / 1000, text) for i, text in enumerate(texts)])
    assert len(records) == 1
    assert headline(records[0]) == expected


def test_errors_are_counted_by_kind() -> None:
    lines: list[LogLine] = []
    for n in range(30):
        lines += run(n, 10.0 + n, says=(f"[ERROR] ValueError: order {n} of 'bob'\nTraceback: x",))
    lines += run(90, 100.0, says=("[ERROR] OSError: [Errno 28] No space left on device",))
    lines += run(91, 200.0, end="Status: timeout")
    lines += run(92, 300.0, says=("fine",))
    kinds = digest_errors(join(lines))
    assert [(k.fingerprint, k.count, k.signature) for k in kinds] == [
        ("ValueError: order # of <str>", 30, ""),
        ("REPORT timeout", 1, "timeout"),
        ("OSError: [Errno #] No space left on device", 1, "disk_full"),
    ]
    first = kinds[0]
    assert (first.first_at, first.last_at) == (10.05, 39.05)
    assert first.sample.startswith("[ERROR] ValueError: order 29")


def test_a_failed_report_counts_only_where_nothing_explains_it() -> None:
    said = run(1, 10.0, says=("[ERROR] ValueError: x",), end="Status: error\tError Type: ValueError")
    assert [(k.fingerprint, k.count) for k in digest_errors(join(said))] == [("ValueError: x", 1)]
    mute = run(2, 20.0, end="Status: error\tError Type: Runtime.ExitError")
    assert [k.fingerprint for k in digest_errors(join(mute))] == ["REPORT error Runtime.ExitError"]
    warned = run(3, 30.0, says=("[WARNING] EMFILE",), end="Status: timeout")
    assert {k.signature for k in digest_errors(join(warned))} == {"too_many_files", "timeout"}


def test_no_errors_no_kinds() -> None:
    assert digest_errors(join(run(1, 1.0, says=("fine",)))) == ()
    assert digest_errors(()) == ()


def tail(*parts: list[LogLine] | LogLine, complete: bool = True) -> LogTail:
    lines = [n for p in parts for n in ([p] if isinstance(p, LogLine) else p)]
    return append_lines(LogTail(complete=complete), tuple(lines))


def test_figures_of_a_window() -> None:
    facts = function("worker", memory_mb=1024)
    seen = tail(
        run(1, 50.0),  # before the window
        init(100.0, 1),
        run(2, 100.5, 1, init_ms=400.0, size_mb=1024),
        run(3, 110.0, 1, size_mb=1024),
        run(4, 120.0, 0, size_mb=2048),
        init(150.0, 3),
        run(5, 175.0, 3, init_ms=400.0, size_mb=1024),
        init(180.0, 2),
    )
    figures = log_figures(seen, facts, until=200.0, window_s=110.0)
    assert (figures.since, figures.until, figures.complete) == (90.0, 200.0, True)
    assert (figures.requests, figures.cold_start_share) == (4, 0.5)
    assert (figures.environments, figures.proactive_inits) == (4, 2)
    assert (figures.billed_ms, figures.unbilled_reports) == (400.0, 0)
    prices = table_prices(facts.key.scope.region)
    per_gb_s = prices.gb_second(facts.architecture)
    assert figures.usd == pytest.approx((0.3 * 1 + 0.1 * 2) * per_gb_s + 4 * prices.request)
    assert figures.usd_per_hour == pytest.approx(figures.usd * 3600 / 110)


def test_figures_say_when_the_tail_does_not_reach_back() -> None:
    facts = function("worker")
    seen = tail(*[run(n, 100.0 + n) for n in range(2000)])
    assert len(seen.lines) == LogTail.KEEP
    figures = log_figures(seen, facts, until=2100.0, window_s=2090.0)
    assert not figures.complete
    assert figures.since == seen.lines[0].at
    assert not log_figures(tail(run(1, 1.0), complete=False), facts, until=10.0).complete


def test_figures_of_an_empty_tail_and_of_reports_without_a_price() -> None:
    facts = function("worker")
    empty = log_figures(LogTail(), facts, until=100.0)
    assert (empty.requests, empty.cold_start_share, empty.environments, empty.usd) == (0, None, 0, 0.0)
    text = '{"type":"platform.report","record":{"requestId":"r","metrics":{"durationMs":5}}}'
    managed = log_figures(tail(line(99.0, text)), facts, until=100.0)
    assert (managed.requests, managed.unbilled_reports, managed.billed_ms, managed.usd) == (1, 1, 0.0, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        r"login failed for {\u0022password\u0022:\u0022hunter2secret\u0022}",
        "login failed for xoxb-123456789012-hunter2secret",
        "password=hunter2secret",
    ],
)
def test_no_part_of_a_secret_is_left(text: str) -> None:
    assert "hunter" not in fingerprint(text)
    assert "secret" not in fingerprint(text)
