"""The queue: each alert once, each incident triaged by one at a time, nothing lost and nothing silent."""

import sqlite3
import stat

import pytest

from assistant.duty.queue import Queue
from assistant.duty.rows import State
from assistant.duty.tables import MIGRATIONS
from assistant.errors import AssistantError, NotFound
from assistant.settings import Terms
from tests.assistant.duty.told import alert, at, incident

TERMS = Terms()


@pytest.fixture
def queue(tmp_path):
    with Queue.open(tmp_path / "duty.db", TERMS) as opened:
        yield opened


def grouped(queue, *alerts, seconds=0.0):
    """Take alerts in, and group them once the storm has settled."""
    queue.take(alerts, at(seconds))
    return queue.gather(at(seconds + TERMS.settle_seconds))


def triaged(queue, seconds, report="t1"):
    held = queue.lease(at(seconds), "r1")
    assert queue.finish(held, report, at(seconds + 5))
    return held


def news(queue, seconds):
    """All that is told at a time, and told then."""
    lines = []
    while (said := queue.news(at(seconds))) is not None:
        lines += said.incident.news
        assert queue.told(said, at(seconds))
    return lines


def test_the_file_is_the_users_alone(tmp_path):
    with Queue.open(tmp_path / "new" / "duty.db"):
        assert stat.S_IMODE((tmp_path / "new" / "duty.db").stat().st_mode) == 0o600


def test_the_same_alert_told_twice_is_one(queue):
    first = queue.take([alert("a"), alert("a"), alert("b")], at())
    assert (first.new, first.repeated) == (2, 1)
    assert queue.take([alert("a")], at(3600)).repeated == 1


def test_a_delivery_that_comes_twice_changes_nothing(queue):
    assert queue.take([incident("P1")], at(), "event-1").new == 1
    assert queue.take([incident("P1", resolved=60)], at(60), "event-2").resolved == 1
    assert queue.take([incident("P1", 30)], at(61), "event-1").repeated == 1
    assert queue.counts()["waiting"] == 1


def test_a_storm_is_grouped_when_it_has_settled_and_not_before(queue):
    queue.take([alert("a", service="checkout")], at())
    assert queue.gather(at(5)) == []
    queue.take([alert("b", 8, service="checkout")], at(8))
    assert queue.gather(at(12)) == []
    assert len(queue.gather(at(18))) == 1


def test_a_storm_that_does_not_settle_is_grouped_all_the_same(queue):
    for seconds in range(0, 60, 5):
        queue.take([alert(f"a{seconds}", seconds, service="checkout")], at(seconds))
    assert queue.gather(at(59)) == []
    assert len(queue.gather(at(60))) == 1


def test_one_incident_is_triaged_once_by_one(queue):
    grouped(queue, alert("a", service="checkout"), alert("b", 1, service="checkout"))
    held = queue.lease(at(20), "r1")
    assert held.alert.id == alert("a", service="checkout").id
    assert queue.lease(at(21), "r2") is None
    assert queue.finish(held, "t1", at(30))
    assert queue.lease(at(31), "r2") is None
    assert queue.incidents()[0].report == "t1"


def test_a_lease_that_ran_out_goes_to_another_and_the_late_report_is_not_kept(queue):
    grouped(queue, alert("a"))
    late = queue.lease(at(20), "r1")
    taken_over = queue.lease(at(20 + TERMS.lease_seconds), "r2")
    assert taken_over.incident == late.incident
    assert not queue.renew(late, at(90))
    assert not queue.finish(late, "late", at(90))
    assert queue.finish(taken_over, "right", at(95))
    assert not queue.fail(late, "late", at(96))
    assert queue.incidents()[0].report == "right"


def test_a_lease_that_is_renewed_stays(queue):
    grouped(queue, alert("a"))
    held = queue.lease(at(20), "r1")
    assert queue.renew(held, at(70))
    assert queue.lease(at(100), "r2") is None


def test_a_triage_that_fails_is_tried_again_and_then_given_up_aloud(queue):
    grouped(queue, alert("a"))
    for seconds in (100, 1000, 10_000):
        held = queue.lease(at(seconds), "r1")
        assert queue.fail(held, "Prometheus is down", at(seconds + 1))
    assert queue.lease(at(20_000), "r1") is None
    assert "no report: Prometheus is down" in news(queue, 20_000)


def test_a_triage_that_kills_its_replica_is_given_up_aloud(queue):
    grouped(queue, alert("a"))
    for seconds in (100, 1000, 10_000):
        assert queue.lease(at(seconds), "r1")
    assert queue.lease(at(20_000), "r1") is None
    assert any("3 triages of it ended without one" in line for line in news(queue, 20_000))


def test_an_alert_that_does_not_exist_is_not_tried_again(queue):
    grouped(queue, alert("a"))
    held = queue.lease(at(20), "r1")
    assert queue.fail(held, "no alert 'a'", at(21), final=True)
    assert queue.lease(at(5000), "r1") is None


def test_a_lease_given_back_counts_as_no_failure(queue):
    grouped(queue, alert("a"))
    for seconds in range(20, 30):
        held = queue.lease(at(seconds), "r1")
        assert queue.release(held, at(seconds))
    assert queue.lease(at(40), "r2") is not None


def test_the_budget_of_an_hour_is_kept_and_what_waits_says_so(tmp_path):
    with Queue.open(tmp_path / "q.db", Terms(triages_per_hour=2)) as queue:
        grouped(queue, *(alert(f"a{n}") for n in range(3)))
        for seconds in (20, 30):
            triaged(queue, seconds)
        assert queue.lease(at(40), "r1") is None
        assert queue.lease(at(41), "r1") is None
        said = [line for line in news(queue, 42) if line.startswith("waits")]
        assert said == [
            "waits: 2 of 2 triages of this hour are used; the next may begin at 03:10 UTC"
        ]
        assert queue.lease(at(3621), "r1") is not None


def test_later_alerts_join_and_are_told_together(queue):
    grouped(queue, alert("a", service="checkout"))
    triaged(queue, 20)
    assert len(news(queue, 30)) == 2
    grouped(queue, *(alert(f"b{n}", 40, service="checkout") for n in range(7)), seconds=40)
    assert news(queue, 60) == []
    assert news(queue, 120) == ["7 more alerts: same service checkout (b0, b1, b2, 4 other kinds)"]
    assert queue.lease(at(130), "r1") is None
    assert queue.incidents()[0].why == "same service checkout; 8 alerts within 40 s"


def test_an_incident_is_triaged_again_after_its_cooldown_when_more_comes(queue):
    grouped(queue, alert("a", service="checkout"))
    triaged(queue, 20)
    seconds = 25 + TERMS.cooldown_seconds
    grouped(queue, alert("b", 1000, service="checkout"), seconds=1000)
    assert queue.lease(at(1100), "r1") is None
    grouped(queue, alert("c", seconds, service="checkout"), seconds=seconds)
    assert queue.lease(at(seconds + 20), "r1") is not None
    assert len(queue.incidents()) == 1


def test_an_incident_closes_when_its_last_alert_is_resolved(queue):
    grouped(queue, alert("a", service="s"), alert("b", service="s"))
    triaged(queue, 20)
    queue.take([alert("a", resolved=60, service="s")], at(60))
    assert queue.incidents()[0].closed_at is None
    assert queue.incidents()[0].firing == 1
    queue.take([alert("b", resolved=90, service="s")], at(90))
    assert queue.incidents()[0].closed_at == at(90)
    assert news(queue, 100)[-1] == "closed: every alert of it is resolved"


def test_what_is_over_before_its_triage_costs_none_and_is_said(queue):
    grouped(queue, alert("a"))
    queue.take([alert("a", resolved=15)], at(15))
    assert queue.lease(at(20), "r1") is None
    assert any("none was made" in line for line in news(queue, 20))


def test_what_is_resolved_while_it_waits_to_be_grouped_is_not_triaged_either(queue):
    queue.take([alert("a")], at())
    queue.take([alert("a", resolved=5)], at(5))
    (name,) = queue.gather(at(20))
    assert queue.incident(name).closed_at == at(20)
    assert queue.lease(at(21), "r1") is None


def test_a_closed_incident_opens_again_when_it_fires_again(queue):
    grouped(queue, alert("a", service="s"))
    triaged(queue, 20)
    queue.take([alert("a", resolved=60, service="s")], at(60))
    grouped(queue, alert("a", 300, service="s"), seconds=300)
    assert len(queue.incidents()) == 1
    assert queue.incidents()[0].closed_at is None
    assert "open again: it fired again" in news(queue, 400)


def test_pagerduty_may_take_the_end_of_an_incident_back(queue):
    grouped(queue, incident("P1"))
    queue.take([incident("P1", resolved=60)], at(60))
    grouped(queue, incident("P1", 90), seconds=90)
    (one,) = queue.incidents()
    assert (one.closed_at, one.firing) == (None, 1)


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (alert("Watchdog"), "fires always"),
        (alert("x", severity="none"), "fires always"),
        (alert("old", -200_000), "began 2 days before"),
        (alert("over", resolved=10), "was resolved when"),
    ],
)
def test_what_needs_no_triage_is_kept_with_the_reason(queue, one, why):
    assert queue.take([one], at()).aside == 1
    assert queue.gather(at(100)) == []
    (kept,) = queue.aside()
    assert kept.state is State.ASIDE
    assert why in kept.why


def test_grouping_is_undone_aloud_in_both_threads(queue):
    members = [alert(name, service="s") for name in ("a", "b", "c")]
    (name,) = grouped(queue, *members)
    triaged(queue, 20)
    news(queue, 30)
    made = queue.split(name, [members[2].id], "another team's", at(40))
    said = {one.id: one for one in queue.incidents()}
    assert (said[name].alerts, said[made].alerts) == (2, 1)
    lines = news(queue, 41)
    assert f"1 alert taken out, now incident {made}: another team's" in lines
    assert f"1 alert taken out of incident {name}: another team's" in lines
    assert queue.lease(at(50), "r1").incident == made


def test_the_alert_that_led_an_incident_can_be_taken_out(queue):
    members = [alert("a", service="s"), alert("b", 1, service="s")]
    (name,) = grouped(queue, *members)
    queue.split(name, [members[0].id], "unrelated", at(15))
    assert queue.incident(name).alert_id == members[1].id


def test_an_incident_cannot_be_split_into_all_or_by_strangers(queue):
    (name,) = grouped(queue, alert("a"))
    for ids in ([alert("a").id], ["nobody"], []):
        with pytest.raises(NotFound, match="cannot be split"):
            queue.split(name, ids, "why", at(20))


def test_news_are_told_by_one_at_a_time_and_come_again_when_it_failed(queue):
    grouped(queue, alert("a"))
    said = queue.news(at(20))
    assert queue.news(at(21)) is None
    assert queue.untold(said, at(22))
    again = queue.news(at(22 + TERMS.lease_seconds))
    assert again.incident == said.incident
    assert not queue.told(said, at(100))
    assert queue.told(again, at(100))
    assert queue.news(at(1000)) is None


def test_an_alert_of_alertmanager_is_known_by_value_and_one_of_pagerduty_is_asked_for(queue):
    one = alert("a", service="checkout", namespace="shop")
    queue.take([one, incident("P1")], at())
    known = queue.by_value(one.alert_id)
    assert (known.id, known.labels["namespace"], known.created_at) == (one.id, "shop", at())
    assert queue.by_value("P1") is None
    assert queue.by_value("unknown") is None


def test_a_triage_that_was_cut_off_is_known_until_its_alert_is_triaged_anew(queue):
    one, other = alert("a"), incident("P1")
    grouped(queue, one, other)
    for seconds in (20, 21):
        queue.lease(at(seconds), "r1")
    assert not queue.interrupted(one.alert_id)
    for seconds in (200, 201):
        queue.lease(at(seconds), "r2")
    assert queue.interrupted(one.alert_id)
    assert queue.interrupted("P1")
    assert not queue.interrupted("P2")


def test_what_a_source_no_longer_has_open_is_resolved_but_not_what_came_since(queue):
    grouped(queue, incident("P1"), incident("P2"))
    queue.take([incident("P3", 60)], at(60))
    assert queue.resolve_absent("pagerduty", ["P1"], at(30), at(61)) == 1
    assert [one.firing for one in queue.incidents()].count(0) == 1
    assert queue.counts()["waiting"] == 1


def test_a_file_of_a_newer_version_or_of_another_program_is_refused(tmp_path):
    newer, strange = tmp_path / "newer.db", tmp_path / "strange.db"
    with sqlite3.connect(newer) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    strange.write_text("this is no database at all, but a letter to a friend")
    for path in (newer, strange):
        with pytest.raises(AssistantError, match=path.name), Queue.open(path):
            pass
