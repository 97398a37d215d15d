"""What stands in a finding as a comparison is true: with the threshold that was used and enough digits."""

from __future__ import annotations

from fakes.queuescene import found, moved, runs, scene
from fakes.worlds import NOW, PROMPT, WORKER

from lambdatop.domain.detectors.rules import error_rate, sqs_redelivery
from lambdatop.domain.figures.comparison import against, compared, multiple
from lambdatop.domain.figures.context import evaluation_context
from lambdatop.domain.plans.finding import Finding, Ref
from lambdatop.domain.state.world import EMPTY_WORLD


def test_a_figure_has_as_many_digits_as_it_takes() -> None:
    assert compared(0.5004, ">", 0.5) == "0.5004 > 0.5"
    assert compared(0.2499, "<", 0.25) == "0.2499 < 0.25"
    assert compared(0.242, ">=", 0.2, 1, "%") == "24.2% >= 20%"
    assert compared(3, ">=", 2, 0, what=" timeouts") == "3 timeouts >= 2"


def test_while_a_finding_stands_the_threshold_below_which_it_ends_is_printed() -> None:
    stood = Finding("error_rate", "critical", Ref(WORKER, "", "w"), "", NOW)
    context = evaluation_context(EMPTY_WORLD, NOW, PROMPT, (stood,))
    assert against(context, 0.3, 0.25, 1, "%") == "30.0% >= 25%"
    assert against(context, 0.242, 0.25, 1, "%") == "24.2% >= 20% (it stands until below that, 25% raises it)"
    assert multiple(context, 9.0, 5.0, 2.0, "{:.1f}/min") == (
        "9.0/min >= 4 x 2.0/min (it stands until below that, 5 x raises it)"
    )


def test_an_error_rate_that_hovers_says_below_what_it_ends() -> None:
    before = found(error_rate.detect, scene(runs(Invocations=[100.0] * 5, Errors=[30.0] * 5)))
    hovers = scene(runs(Invocations=[100.0] * 5, Errors=[24.0] * 5))
    (finding,) = found(error_rate.detect, hovers, before)
    assert finding.severity == "critical"
    assert finding.formula == (
        "120 errors / 500 invocations = 24.0% >= 20% (it stands until below that, 25% raises it) over 5 min"
    )


def test_a_queue_of_which_nothing_was_deleted_has_no_ratio() -> None:
    none = [*moved([20.0] * 10, [0.0] * 10), *runs(Errors=[9.0] * 9)]
    (finding,) = found(sqs_redelivery.detect, scene(none))
    assert (finding.severity, finding.title) == ("critical", "orders redelivers: 200 receives, none deleted")
    assert finding.formula == "200 received, 0 deleted over 10 min"
    assert dict(finding.evidence)["redelivery_ratio"] is None
