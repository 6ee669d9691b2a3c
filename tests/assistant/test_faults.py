"""The catalogue: every kind that a check, a hypothesis or a proposed fix speaks of has its entry."""

import re
from pathlib import Path

import pytest

import assistant
from assistant.checks.admission import REFUSALS
from assistant.checks.images import CAUSES
from assistant.checks.reading.logs.log_meanings import MEANINGS
from assistant.checks.reading.objects.placement import RULES
from assistant.checks.reading.objects.quotas import QUOTA_KINDS
from assistant.checks.scheduling import STEMS
from assistant.checks.signals import MEANINGS as SIGNALS
from assistant.faults import Fault, Role, catalogue, fault, spelled
from assistant.incident import Entity
from assistant.triage.propose import FIXES, ROLLBACK_KINDS

SOURCE = Path(assistant.__file__).parent


def tables():
    rows = [kind for table in (REFUSALS, CAUSES, MEANINGS, RULES) for kind, _ in table]
    rows += [kind for _, kind in (*QUOTA_KINDS, *STEMS)]
    return {
        *rows,
        *FIXES,
        *ROLLBACK_KINDS,
        *(kind for kind, _ in SIGNALS if kind not in ("", "traffic")),
    }


def test_every_kind_that_a_table_names_is_in_the_catalogue():
    assert tables() <= set(catalogue())


def test_every_kind_that_a_check_writes_out_is_in_the_catalogue():
    written = {
        kind
        for path in (SOURCE / "checks").glob("*.py")
        for kind in re.findall(r'kind="([a-z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert written <= set(catalogue())


@pytest.mark.parametrize("entry", catalogue().values(), ids=lambda entry: entry.kind)
def test_every_entry_can_be_read_aloud(entry: Fault):
    assert entry.title
    assert not entry.title.endswith(".")
    assert entry.shows
    if entry.role is Role.CAUSE:
        assert entry.fix, "a cause without a fix helps nobody"
        assert entry.verify, "nor one whose fix cannot be verified"
        assert entry.weight >= 0.5


def test_a_cause_that_names_the_exact_thing_is_trusted_more_than_a_guess_at_a_change():
    assert (
        fault("missing_key").weight
        > fault("slow_dependency").weight
        > fault("config_changed").weight
    )


def test_an_unknown_kind_is_a_bug_and_says_so():
    with pytest.raises(KeyError, match="no_such_kind"):
        fault("no_such_kind")


@pytest.mark.parametrize(("text", "spelt"), [
    ("kubectl edit service NAME", "kubectl edit service web"),
    ("kubernetes.io/service-name=NAME lists", "kubernetes.io/service-name=web lists"),
    ("kubectl -n NAMESPACE create serviceaccount NAME", "kubectl -n shop create serviceaccount NAME"),
    ("kubectl drain NODE", "kubectl drain NODE"),
])  # fmt: skip
def test_advice_names_the_thing_and_guesses_no_other(text, spelt):
    assert spelled(text, Entity(kind="Service", namespace="shop", name="web")) == spelt


def test_a_name_that_no_cluster_allows_is_not_put_into_a_command():
    hostile = Entity(kind="Service", namespace="shop", name="web; rm -rf /")
    assert spelled("kubectl edit service NAME", hostile) == "kubectl edit service NAME"
