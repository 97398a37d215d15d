"""Hold the table of list prices; `prices/__init__.py` says what the columns mean.

Columns: GB-second x86 and arm64, request, GB-second of /tmp, provisioned concurrency configured (x86, arm64)
and run on (x86, arm64), GB of logs. None: no figure that can be supported.

Sources: the price map of the AWS pricing calculator (calculator.aws/pricing/2.0/meteredUnitMaps/lambda, in a
copy that a public repository keeps with AWS's rate codes) for all regions with a request price; what two
public tables of GB-second prices agree on for ap-southeast-3 and me-central-1, one of them for us-gov; the
regional price list file of AWSLambda for arm64 on provisioned concurrency in us-east-1, which public tables
name for no other region. Logs: $0.50 by the CloudWatch price list (us-east-1), $0.63 and $0.76 as public
billing rules and cost guides name them for DataProcessing-Bytes. Requests, /tmp and duration on provisioned
concurrency of us-east-1 stand the same in answers of the Price List API of 2025-10, x86, requests and /tmp of
us-east-2 in its offer file of 2026-08-21.
"""

from __future__ import annotations

from collections.abc import Mapping

AS_OF = "2026-11"
MILLION = 1_000_000

Row = tuple[float | None, ...]

# fmt: off
ROWS: Mapping[str, Row] = {
    "af-south-1": (
        0.0000221000, 0.0000176800, 0.27 / MILLION, 0.0000000404,
        0.0000055300, None, 0.0000129000, None, None,
    ),
    "ap-east-1": (
        0.0000229200, 0.0000183000, 0.28 / MILLION, 0.0000000407,
        0.0000057153, None, 0.0000133358, None, None,
    ),
    "ap-northeast-1": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000370,
        0.0000053835, None, 0.0000125615, None, 0.76,
    ),
    "ap-northeast-2": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000352,
        0.0000051254, None, 0.0000119592, None, 0.76,
    ),
    "ap-northeast-3": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000370,
        0.0000053835, None, 0.0000125615, None, None,
    ),
    "ap-south-1": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000352,
        0.0000044985, None, 0.0000104966, None, None,
    ),
    "ap-southeast-1": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000370,
        0.0000051991, None, 0.0000121313, None, None,
    ),
    "ap-southeast-2": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000370,
        0.0000052360, None, 0.0000122173, None, None,
    ),
    "ap-southeast-3": (
        0.0000166667, 0.0000133334, None, None,
        None, None, None, None, None,
    ),
    "ap-southeast-4": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000370,
        0.0000052360, None, 0.0000122173, None, None,
    ),
    "ap-southeast-5": (
        0.0000150000, 0.0000120000, 0.18 / MILLION, 0.0000000333,
        0.0000046791, None, 0.0000109181, None, None,
    ),
    "ca-central-1": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000340,
        0.0000046460, None, 0.0000108407, None, None,
    ),
    "eu-central-1": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000367,
        0.0000050147, None, 0.0000117011, None, 0.63,
    ),
    "eu-central-2": (
        0.0000183334, 0.0000146667, 0.22 / MILLION, 0.0000000441,
        0.0000055162, None, 0.0000128712, None, None,
    ),
    "eu-north-1": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000323,
        0.0000044248, None, 0.0000103245, None, None,
    ),
    "eu-south-1": (
        0.0000195172, 0.0000156138, 0.23 / MILLION, 0.0000000357,
        0.0000048783, None, 0.0000113827, None, None,
    ),
    "eu-west-1": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000340,
        0.0000046460, None, 0.0000108407, None, None,
    ),
    "eu-west-2": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000358,
        0.0000048304, None, 0.0000112709, None, None,
    ),
    "eu-west-3": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000358,
        0.0000048673, None, 0.0000113569, None, None,
    ),
    "me-central-1": (
        0.0000206667, 0.0000165334, None, None,
        None, None, None, None, None,
    ),
    "me-south-1": (
        0.0000206667, 0.0000165334, 0.25 / MILLION, 0.0000000374,
        0.0000051108, None, 0.0000119251, None, None,
    ),
    "sa-east-1": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000586,
        0.0000066372, None, 0.0000154867, None, None,
    ),
    "us-east-1": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000309,
        0.0000041667, 0.0000033334, 0.0000097222, 0.0000077778, 0.50,
    ),
    "us-east-2": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000309,
        0.0000041667, None, 0.0000097222, None, None,
    ),
    "us-gov-east-1": (
        0.0000166667, None, None, None,
        None, None, None, None, None,
    ),
    "us-gov-west-1": (
        0.0000166667, None, None, None,
        None, None, None, None, None,
    ),
    "us-west-1": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000370,
        0.0000049041, None, 0.0000114430, None, None,
    ),
    "us-west-2": (
        0.0000166667, 0.0000133334, 0.20 / MILLION, 0.0000000309,
        0.0000041667, None, 0.0000097222, None, None,
    ),
}
# fmt: on
