"""The flows that ship: enough of them, short, tested, and between them of everything that real flows need."""

import pytest

from support.features import FEATURES, SPECS, Shown, flows

FLOWS = flows()
LINES_AT_MOST = 60


def test_there_are_enough_of_them() -> None:
    assert len(FLOWS) >= 25


@pytest.mark.parametrize("code", FEATURES)
def test_each_feature_is_shown_by_a_flow(code: str) -> None:
    words, sign = FEATURES[code]
    assert any(sign(flow) for flow in FLOWS), f"no flow in specs/ shows {words}"


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_flow_is_short_and_has_tests(flow: Shown) -> None:
    spec = SPECS / flow.plan.spec_path
    assert len(spec.read_text().splitlines()) <= LINES_AT_MOST
    assert spec.with_suffix(".test.yaml").exists()
