"""Crashes: memory kills, crash loops, and what logs say; a restart of last week is no crash."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.checks import crashes
from assistant.checks.logs import address, complaints, meaning
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    event,
    evidence,
    kinds,
    logs,
    only,
    pod,
    service,
    state,
    waiting,
    web,
)

pytestmark = pytest.mark.anyio
LOGS = "kubernetes.get_pod_logs"
LIMITED = container(resources={"limits": {"memory": "256Mi"}})
OOM = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ago(3)}
ERROR = {"reason": "Error", "exitCode": 1, "finishedAt": ago(3)}


def looping(last, **fields):
    return pod(
        states=[waiting("CrashLoopBackOff", "back-off 2m40s", last=last, restarts=6)], **fields
    )


async def test_a_memory_kill_is_found_with_its_limit_and_the_first_kill():
    broken = pod(
        "web-6d4b9-x2x7p", LIMITED, states=[state(last=OOM, restarts=4, ready=True)], ready=True
    )
    events = [event(broken, "BackOff", "Back-off restarting failed container web", first=31)]
    found = await only(crashes.check, case(*web(), broken, events=events))
    assert found.kind == "oom_killed"
    assert found.details["limit"] == "256Mi"
    assert found.began.isoformat() == ago(31).replace("Z", "+00:00")


async def test_a_job_pod_that_was_killed_for_memory_and_never_restarted_is_found():
    broken = pod("web-6d4b9-x2x7p", LIMITED, states=[state(terminated=OOM)], phase="Failed")
    assert (await only(crashes.check, case(*web(), broken))).kind == "oom_killed"


async def test_a_container_that_ends_again_and_again_is_a_crash_loop():
    found = await only(crashes.check, case(*web(), looping(ERROR)))
    assert (found.kind, found.details["exit_code"]) == ("crash_loop", "1")


@pytest.mark.parametrize("ended", [OOM, ERROR])
async def test_a_restart_of_three_days_ago_is_nothing_of_now(ended):
    old = {**ended, "finishedAt": ago(days=3)}
    running = pod(states=[state(last=old, restarts=1, ready=True)], ready=True, created=ago(days=9))
    assert await kinds(crashes.check, case(*web(), running)) == []


async def test_one_restart_within_the_window_is_a_restart_and_over():
    running = pod(states=[state(last=ERROR, restarts=1, ready=True)], ready=True)
    found = await only(crashes.check, case(*web(), running))
    assert (found.kind, found.active) == ("restarted", False)


async def test_the_last_words_of_a_crashed_container_name_what_it_could_not_reach():
    objects = [*web(), looping(ERROR), service("orders-db")]
    text = "panic: dial tcp: lookup orders-db on 10.96.0.10:53: no such host"
    given = case(*objects, answers={LOGS: logs(text)})
    found = {f.kind: f for f in await crashes.check(given)}
    assert set(found) == {"crash_loop", "name_not_resolved"}
    assert "Service shop/orders-db" in map(str, found["name_not_resolved"].about)


async def test_refused_credentials_are_the_callers_own_trouble_and_cite_the_line():
    text = "ERROR 1045 (28000): Access denied for user 'orders'@'10.1.0.9' (using password: YES)"
    found = {
        f.kind: f
        for f in await crashes.check(case(*web(), looping(ERROR), answers={LOGS: logs(text)}))
    }
    refused = found["credentials_refused"]
    assert str(refused.entity) == "Deployment shop/web"
    assert refused.citations[0].quote == text


async def test_a_database_without_free_connections_is_the_databases_trouble():
    text = "pq: connect to orders-db:5432: FATAL: sorry, too many clients already"
    running = pod(states=[state(ready=True)], ready=True)
    given = case(*web(), running, service("orders-db"), answers={LOGS: logs(text)})
    assert str((await only(crashes.check, given)).entity) == "Service shop/orders-db"


async def test_a_log_that_cannot_be_read_is_no_finding_and_no_error():
    assert await kinds(crashes.check, case(*web(), looping(ERROR))) == ["crash_loop"]


async def test_warnings_that_no_stem_names_are_told_as_noise_once():
    lines = [
        f"WARN printer gate-{n} answers slowly, retry 1 of 5" for n in range(crashes.COMPLAINTS)
    ]
    running = pod(states=[state(ready=True)], ready=True)
    found = await only(crashes.check, case(*web(), running, answers={LOGS: logs(*lines)}))
    assert found.kind == "noisy_log"
    assert found.strength < 0.5


async def test_two_warnings_are_ordinary_life():
    running = pod(states=[state(ready=True)], ready=True)
    given = case(*web(), running, answers={LOGS: logs("WARN slow", "WARN slow", "INFO fine")})
    assert await kinds(crashes.check, given) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("listen tcp :8080: bind: address already in use", "port_conflict"),
        ("Access denied for user 'shop'@'10.0.0.3' (using password: YES)", "credentials_refused"),
        ("WRONGPASS invalid username-password pair or user is disabled.", "credentials_refused"),
        ("ERROR 1040 (HY000): Too many connections", "db_connection_exhaustion"),
        ("HikariPool-1 - Connection is not available, request timed out after 30000ms.", "pool_exhausted"),
        ("ERROR 1290 (HY000): running with the --read-only option", "db_read_only"),
        ("write /var/lib/data/wal: no space left on device", "volume_full"),
        ("open /data/cache: permission denied", "volume_mount_permission_denied"),
        ("x509: certificate has expired or is not yet valid", "certificate_expired"),
        ('pods is forbidden: User "system:serviceaccount:shop:web" cannot list resource', "rbac_denied"),
        ("environment variable STRIPE_KEY is required", "missing_env"),
        ("KeyError: 'DATABASE_URL'", "missing_env"),
        ("getaddrinfo ENOTFOUND orders-db", "name_not_resolved"),
        ("connect ECONNREFUSED 10.0.0.4:3306", "dependency_refused"),
        ("Communications link failure", "dependency_refused"),
        ("context deadline exceeded", "dependency_timeout"),
        ("java.lang.OutOfMemoryError: Java heap space", "out_of_memory_in_process"),
        ("429 Too Many Requests", "rate_limited"),
        ("GET /healthz 200 3ms", ""),
        ("connected to orders-db:5432 as shop", ""),
        ("password for user shop was read from /run/secrets/db", ""),
        ("processed 429 orders in 3 s", ""),
        ("request took 504 ms", ""),
        ("loaded settings; timeout=30s retries=3", ""),
        ("server listening, read timeout 5s, idle timeout 60s", ""),
    ],
)  # fmt: skip
def test_a_line_means_what_programs_mean_by_it(text, kind):
    assert meaning(text) == kind


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("dial tcp: lookup orders-db on 10.96.0.10:53: no such host", ("orders-db", "")),
        ("dial tcp 10.1.2.3:5432: connect: connection refused", ("10.1.2.3", "5432")),
        ("connect ECONNREFUSED 10.0.0.4:3306", ("10.0.0.4", "3306")),
        ("jdbc:mysql://orders-db:3306/shop: Communications link failure", ("orders-db", "3306")),
        ("getaddrinfo ENOTFOUND cache.shop.svc", ("cache.shop.svc", "")),
        ("it timed out", ("", "")),
        ("ERROR 1040 (HY000): Too many connections", ("", "")),
        ("connection refused", ("", "")),
        ("lost connection to server", ("", "")),
    ],
)
def test_the_address_of_an_error_is_the_one_that_was_called(text, where):
    assert address(text) == where


@given(st.text(max_size=400))
def test_no_line_of_a_log_breaks_its_reading(text):
    address(text)
    item = evidence(LOGS, {"pod": "p"}, logs(text))
    assert isinstance(meaning(text), str)
    assert isinstance(complaints(item), list)


@pytest.mark.parametrize(
    ("there", "kind"), [(True, "service_dns_resolution_failure"), (False, "name_not_resolved")]
)
async def test_a_lookup_that_fails_is_a_wrong_name_unless_a_service_has_it(there, kind):
    broken = pod("web-6d4b9-x2x7p", states=[state()])
    said = logs(
        "dial tcp: lookup orders-db on 10.0.0.10:53: no such host", pod=broken["metadata"]["name"]
    )
    objects = [*web(), broken, *([service("orders-db")] if there else [])]
    assert await kinds(crashes.check, case(*objects, answers={LOGS: said})) == [kind]
