"""What evidence shows is made once, and made anew only where the evidence for it is another."""

from assistant.triage.view import Sight
from tests.assistant.checks.cluster import evidence, gathered, node, pod, web

BEFORE = tuple(gathered(*web(), pod()))
LOG = evidence("kubernetes.get_pod_logs", {"namespace": "shop", "pod": "web-6d4b9-x2x7p"}, {})
RUNBOOK = evidence("runbooks.search_runbooks", {"query": "web"}, {})
NODES = evidence("kubernetes.list_resources", {"kind": "Node"}, {"kind": "Node", "items": [node()]})


def test_the_same_evidence_is_looked_at_once():
    sight = Sight()
    first = sight.of(BEFORE)
    made = first.snapshot, first.topology
    again = sight.of((*BEFORE, RUNBOOK))
    assert again.snapshot is made[0]
    assert again.topology is made[1]
    assert again.evidence[-1] is RUNBOOK


def test_a_log_may_tell_of_calls_and_changes_no_object():
    sight = Sight()
    first = sight.of(BEFORE)
    made = first.snapshot, first.topology
    later = sight.of((*BEFORE, LOG))
    assert later.snapshot is made[0]
    assert later.topology is not made[1]


def test_an_object_that_was_listed_later_is_there():
    sight = Sight()
    assert not sight.of(BEFORE).snapshot.of("Node")
    assert [one.name for one in sight.of((*BEFORE, NODES)).snapshot.of("Node")] == ["worker-1"]


def test_two_desks_share_no_sight():
    one, other = Sight(), Sight()
    assert one.of(BEFORE).snapshot is not other.of(BEFORE).snapshot
