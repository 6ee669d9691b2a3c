"""The storm of the benchmark: two faults in one cluster are two incidents, by grouping alone."""

from datetime import UTC, datetime

import pytest

from assistant.duty.alertmanager import alerts_of
from assistant.duty.grouping import group
from assistant.duty.links import Calls
from assistant.settings import Terms
from eval.bench.storm import FAULTS, Plan, page, storm

CALLS = Calls.of([("ingress-controller", "portal"), ("portal", "bookings"), ("portal", "tracking"),
                  ("tracking", "routes"), ("bookings", "payments"), ("routes", "cache")])  # fmt: skip


@pytest.mark.parametrize("alerts", [50, 500])
def test_two_faults_are_two_incidents_and_a_caller_of_both_joins_one(alerts):
    batches = storm(Plan(alerts=alerts), datetime(2026, 11, 3, tzinfo=UTC))
    rows = [one for batch in batches for one in alerts_of({"version": "4", "alerts": batch}).alerts]
    found = group(rows, [], CALLS, Terms())
    faults = [{one.alert.fingerprint.partition("-")[0] for one in each.members} for each in found]
    assert sorted(faults, key=str) == [{name} for name in sorted(FAULTS)]
    assert sum(len(each.members) for each in found) == alerts
    assert {one.why for one in found[0].members} >= {"portal calls bookings"}


def test_the_page_says_what_was_dropped():
    found = {
        "plan": {"alerts": 5, "seconds": 1.0, "kill": True}, "told": 10, "deliveries": 2,
        "refused_while_down": 1, "kept": 4, "kept_twice": 0, "dropped": 1, "triages": 1, "reports": 1,
        "incidents": [], "seconds": 2.0, "intake_ms": {"median": 1.0, "p95": 2.0},
    }  # fmt: skip
    assert "kept 4, twice 0, dropped 1" in "\n".join(page(found))
