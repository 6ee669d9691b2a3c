"""What logs tell: whose trouble it is, since when, and what is only noise."""

from datetime import timedelta

import pytest

from assistant.checks import logs as family
from assistant.checks.reading.logs.log_reading import chosen
from tests.assistant.checks.cluster import (
    NOW,
    ago,
    case,
    container,
    deployment,
    evidence,
    kinds,
    logs,
    only,
    pod,
    replica_set,
    service,
    state,
    thing,
    waiting,
    web,
)

pytestmark = pytest.mark.anyio
LOGS = "kubernetes.get_pod_logs"
ERROR = {"reason": "Error", "exitCode": 1, "finishedAt": ago(3)}


def looping(name="web-6d4b9-x2x7p", **fields):
    last = waiting("CrashLoopBackOff", "back-off 2m40s", last=ERROR, restarts=6)
    return pod(name, states=[last], **fields)


def running(name="web-6d4b9-x2x7p", **fields):
    return pod(name, states=[state(ready=True)], ready=True, **fields)


def database(name="orders-db", image="mysql:8.0", port=3306, **fields):
    """A database with one Ready pod, and its Service."""
    server = container(name, image=image, ports=[{"containerPort": port}])
    labels = {"app": name}
    ports = [{"port": port, "targetPort": port}]
    return [
        deployment(name, server, kind="StatefulSet"),
        running(f"{name}-0", owner=("StatefulSet", name), labels=labels, **fields),
        service(name, ports=ports),
    ]


def client(name, *, ready=True, secret=True):
    """A Deployment of one pod that reads a Secret `NAME-mysql` with the address of a database."""
    spec = container(name, envFrom=[{"secretRef": {"name": f"{name}-mysql"}}] if secret else [])
    one = running if ready else looping
    return [
        deployment(name, spec),
        replica_set(f"{name}-7f9c", owner=("Deployment", name)),
        one(f"{name}-7f9c-aaaaa", owner=("ReplicaSet", f"{name}-7f9c"), labels={"app": name}),
        thing("Secret", f"{name}-mysql", data={"DB_MYSQL_HOST": "", "DB_MYSQL_PORT": "", "DB_MYSQL_PASSWORD": ""}),
    ]  # fmt: skip


async def test_the_last_words_of_a_crashed_container_name_what_it_could_not_reach():
    objects = [*web(), looping(), service("orders-db")]
    text = "panic: dial tcp: lookup orders-db on 10.96.0.10:53: no such host"
    found = await only(family.check, case(*objects, answers={LOGS: logs(text)}))
    assert found.kind == "service_dns_resolution_failure"
    assert "Service shop/orders-db" in map(str, found.about)


async def test_refused_credentials_are_the_callers_own_trouble_and_cite_the_line():
    text = "ERROR 1045 (28000): Access denied for user 'orders'@'10.1.0.9' (using password: YES)"
    refused = await only(family.check, case(*web(), looping(), answers={LOGS: logs(text)}))
    assert str(refused.entity) == "Deployment shop/web"
    assert refused.citations[0].quote == text


async def test_a_server_that_refuses_somebody_is_not_in_trouble_itself():
    text = "2026-03-14T02:20:11Z 4 [Note] Access denied for user 'root'@'::1' (using password: NO)"
    given = case(*database(), answers={f"{LOGS} orders-db-0": logs(text)})
    assert await kinds(family.check, given) == []


async def test_a_database_without_free_connections_is_the_databases_trouble():
    text = "pq: connect to orders-db:5432: FATAL: sorry, too many clients already"
    objects = [*web(), running(), *database(image="postgres:16", port=5432)]
    found = await only(
        family.check, case(*objects, answers={f"{LOGS} web-6d4b9-x2x7p": logs(text)})
    )
    assert str(found.entity) == "StatefulSet shop/orders-db"


async def test_a_line_without_a_host_means_the_database_that_the_client_is_told_to_call():
    env = [{"name": "DB_HOST", "value": "orders-db"}, {"name": "DB_PORT", "value": "3306"}]
    objects = [deployment("web", container("web", env=env)), replica_set(), running()]
    objects += [*database(), *database("users-db")]
    text = "com.mysql.cj.jdbc.exceptions.SQLError: Too many connections"
    found = await only(
        family.check, case(*objects, answers={f"{LOGS} web-6d4b9-x2x7p": logs(text)})
    )
    assert str(found.entity) == "StatefulSet shop/orders-db"


async def test_several_clients_and_the_database_itself_agree_in_one_finding():
    text = "java.sql.SQLNonTransientConnectionException: Too many connections"
    answers = {f"{LOGS} {name}-7f9c-aaaaa": logs(text) for name in ("cart", "bill")}
    answers[f"{LOGS} orders-db-0"] = logs("585 [Warning] Too many connections")
    objects = [*client("cart"), *client("bill"), *database(), *database("users-db")]
    found = await only(family.check, case(*objects, answers=answers))
    assert (found.kind, str(found.entity)) == (
        "db_connection_exhaustion",
        "StatefulSet shop/orders-db",
    )
    assert {"Deployment shop/cart", "Deployment shop/bill"} <= set(map(str, found.about))
    assert len(found.citations) > 1


async def test_a_client_that_alone_is_refused_by_a_database_that_serves_the_others():
    text = (
        "Caused by: com.mysql.cj.exceptions.CJCommunicationsException: Communications link failure"
    )
    objects = [*client("cart", ready=False), *client("bill"), *database()]
    given = case(*objects, answers={f"{LOGS} cart-7f9c-aaaaa": logs(text)})
    found = {row.kind: row for row in await family.check(given)}
    wrong = found["database_address_wrong"]
    assert str(wrong.entity) == "Deployment shop/cart"
    assert "Secret cart-mysql" in wrong.statement


async def test_a_database_that_is_down_refuses_and_nobodys_address_is_wrong():
    down = [deployment("orders-db", container("orders-db", image="mysql:8.0"), kind="StatefulSet"),
            looping("orders-db-0", owner=("StatefulSet", "orders-db"), labels={"app": "orders-db"})]  # fmt: skip
    objects = [*client("cart", ready=False), *client("bill"), *down]
    given = case(
        *objects, answers={f"{LOGS} cart-7f9c-aaaaa": logs("mysql: Communications link failure")}
    )
    assert await kinds(family.check, given) == ["dependency_refused"]


async def test_when_all_clients_are_refused_it_is_not_the_address_of_one():
    answers = {
        f"{LOGS} {name}-7f9c-aaaaa": logs("mysql: Communications link failure")
        for name in ("cart", "bill")
    }
    objects = [*client("cart", ready=False), *client("bill", ready=False), *database()]
    given = case(*objects, answers=answers)
    assert set(await kinds(family.check, given)) == {"dependency_refused"}


async def test_a_refusal_from_before_the_database_was_up_is_over():
    late = logs("mysql: Communications link failure")
    late["lines"][0]["time"] = ago(25)
    objects = [*client("cart", ready=False), *client("bill"), *database()]
    given = case(*objects, answers={f"{LOGS} cart-7f9c-aaaaa": late})
    assert await kinds(family.check, given) == ["dependency_refused"]


async def test_a_crash_without_a_word_leads_to_the_connection_that_is_read_at_the_start():
    found = await only(family.check, case(*client("cart", ready=False)))
    assert found.kind == "connection_settings_suspect"
    assert (found.details["secret"], found.details["engine"]) == ("cart-mysql", "mysql")


async def test_a_killed_container_without_a_word_is_suspected_of_nothing():
    killed = {**ERROR, "exitCode": 137}
    last = waiting("CrashLoopBackOff", "back-off", last=killed, restarts=6)
    objects = client("cart")[:2] + client("cart")[3:]
    broken = pod("cart-7f9c-aaaaa", states=[last], owner=("ReplicaSet", "cart-7f9c"))
    assert await kinds(family.check, case(*objects, broken)) == []


async def test_a_log_that_cannot_be_read_is_no_finding_and_no_error():
    assert await kinds(family.check, case(*web(), looping())) == []


async def test_warnings_that_no_stem_names_are_told_as_noise_once_with_their_template():
    lines = [
        f"WARN printer gate-{n} answers slowly, retry 1 of 5" for n in range(family.COMPLAINTS)
    ]
    found = await only(family.check, case(*web(), running(), answers={LOGS: logs(*lines)}))
    assert found.kind == "noisy_log"
    assert found.details["template"] == "WARN printer gate-<*> answers slowly, retry <*> of <*>"
    assert found.strength < 0.5


async def test_two_warnings_are_ordinary_life():
    given = case(*web(), running(), answers={LOGS: logs("WARN slow", "WARN slow", "INFO fine")})
    assert await kinds(family.check, given) == []


@pytest.mark.parametrize(
    ("there", "kind"), [(True, "service_dns_resolution_failure"), (False, "name_not_resolved")]
)
async def test_a_lookup_that_fails_is_a_wrong_name_unless_a_service_has_it(there, kind):
    broken = pod("web-6d4b9-x2x7p", states=[state()])
    said = logs("dial tcp: lookup orders-db on 10.0.0.10:53: no such host")
    objects = [*web(), broken, *([service("orders-db")] if there else [])]
    assert await kinds(family.check, case(*objects, answers={LOGS: said})) == [kind]


@pytest.mark.parametrize(
    ("text", "strength"), [("environment variable STRIPE_KEY is required", 0.4), ("read /d: input/output error", 0.8)]
)  # fmt: skip
async def test_what_stops_a_start_is_doubted_of_a_program_that_is_ready(text, strength):
    said = logs(text)
    found = await only(family.check, case(*web(), running(), answers={LOGS: said}))
    assert found.strength == strength


async def test_what_only_a_run_that_ended_said_is_over_once_the_next_is_well():
    steady = pod(states=[state(last=ERROR, restarts=1, ready=True)], ready=True)
    given = case(*web(), steady)

    async def ask(tool, arguments, reason):
        said = logs("KeyError: 'STRIPE_KEY'" if arguments.get("previous") else "listening")
        return evidence(tool, arguments, said)

    found = await only(family.check, given.__class__(**{**given.__dict__, "ask": ask}))
    assert (found.kind, found.active) == ("missing_env", False)


async def test_a_missing_setting_is_named():
    given = case(*web(), looping(), answers={LOGS: logs("KeyError: 'STRIPE_KEY'")})
    assert (await only(family.check, given)).details["name"] == "STRIPE_KEY"


async def test_a_public_host_that_times_out_is_at_fault_itself():
    text = "Post https://api.payments.example.com:443/v1: context deadline exceeded"
    found = await only(family.check, case(*web(), running(), answers={LOGS: logs(text)}))
    assert (found.kind, str(found.entity)) == (
        "external_api_failing",
        "Address api.payments.example.com",
    )


async def test_a_program_that_calls_itself_where_nobody_listens_has_a_wrong_address():
    spec = container(ports=[{"containerPort": 8080}])
    broken = pod("web-6d4b9-x2x7p", spec, states=[state()])
    said = logs("connect ECONNREFUSED 127.0.0.1:6379")
    found = await only(family.check, case(*web(), broken, answers={LOGS: said}))
    assert found.kind == "service_env_var_address_mismatch"


async def test_a_complaint_of_hours_before_the_incident_began_then():
    rows = [{"time": ago(m), "text": "429 Too Many Requests"} for m in (300, 200, 100, 50, 5)]
    given = case(*web(), running(), answers={LOGS: {**logs(), "lines": rows}})
    found = await only(family.check, given)
    assert found.began == NOW - timedelta(minutes=300)
    assert found.began < given.scope.window.start


async def test_a_rare_complaint_that_became_a_storm_began_with_the_storm():
    rows = [{"time": ago(m), "text": "429 Too Many Requests"} for m in (300, *range(30, 0, -1))]
    given = case(*web(), running(), answers={LOGS: {**logs(), "lines": rows}})
    assert (await only(family.check, given)).began == NOW - timedelta(minutes=30)


async def test_a_cut_log_is_searched_further_back_for_the_same_complaint():
    text = "the upstream card service: 429 Too Many Requests"
    asked = []
    given = case(*web(), running())

    async def ask(tool, arguments, reason):
        asked.append(arguments)
        at = ago(400) if arguments.get("grep") else ago(5)
        row = {"time": at, "text": text}
        why = "only the last 2000 lines were read; the log may go further back"
        return evidence(tool, arguments, {**logs(), "lines": [row]}, truncated=True, reason=why)

    given = given.__class__(**{**given.__dict__, "ask": ask})
    found = await only(family.check, given)
    assert found.began == NOW - timedelta(minutes=400)
    assert asked[-1]["grep"] in text


async def test_an_old_restart_has_no_previous_log_worth_reading():
    old = {**ERROR, "finishedAt": ago(days=3)}
    steady = pod(states=[state(last=old, restarts=2, ready=True)], ready=True)
    assert [wanted.previous for wanted in chosen(case(*web(), steady))] == [False]
    crashed = pod(states=[state(last=ERROR, restarts=2, ready=True)], ready=True)
    assert [wanted.previous for wanted in chosen(case(*web(), crashed))] == [True, False]


async def test_databases_are_read_before_the_many_that_use_them():
    crowd = [row for n in range(50) for row in client(f"app-{n:02}", secret=False)]
    read = chosen(case(*crowd, *database("zz-db")))
    assert len(read) == 40
    assert read[0].owner.name == "zz-db"


async def test_the_newest_failed_pod_of_a_job_is_read_for_its_last_words():
    ended = {"reason": "Error", "exitCode": 1, "finishedAt": ago(5)}
    tries = [
        pod(f"pull-1-{n}", states=[state(terminated=ended)], phase="Failed", created=ago(20 - n), owner=("Job", "pull-1"))
        for n in range(3)
    ]  # fmt: skip
    objects = [thing("CronJob", "pull"), thing("Job", "pull-1", owner=("CronJob", "pull")), *tries]
    assert [row.pod.name for row in chosen(case(*objects))] == ["pull-1-2"]
    said = logs("botocore.exceptions.ClientError: An error occurred (InvalidAccessKeyId)")
    found = await only(family.check, case(*objects, answers={LOGS: said}))
    assert (found.kind, str(found.entity)) == ("credentials_refused", "CronJob shop/pull")
    assert found.strength == 0.95


async def test_a_container_between_two_runs_is_read():
    objects = [*web(), pod(states=[state(terminated=ERROR)])]
    assert [row.pod.name for row in chosen(case(*objects))] == ["web-6d4b9-x2x7p"]


async def test_what_is_said_again_and_again_until_the_end_is_believed_more():
    once, often = logs("pool has been exhausted"), logs(*["pool has been exhausted"] * 5)
    believed = [
        (await only(family.check, case(*web(), running(), answers={LOGS: said}))).strength
        for said in (once, often)
    ]
    assert believed == [0.8, 0.95]


async def test_an_old_restart_does_not_date_what_is_said_now():
    old = {**ERROR, "finishedAt": ago(days=1)}
    steady = pod(states=[state(last=old, restarts=1, ready=True)], ready=True)
    said = logs("FATAL: sorry, too many clients already")
    found = await only(family.check, case(*web(), steady, answers={LOGS: said}))
    assert found.began == NOW - timedelta(minutes=5)


async def test_an_expired_certificate_is_the_trouble_of_the_server_that_shows_it():
    server = running("store-0", labels={"app": "store"}, owner=("StatefulSet", "store"))
    objects = [*web(), running(), deployment("store", kind="StatefulSet"), server, service("store")]
    said = logs("SSL: certificate verify failed: certificate has expired (store:443)")
    found = await only(family.check, case(*objects, answers={LOGS: said}))
    assert str(found.entity) == "StatefulSet shop/store"
    assert "Deployment shop/web" in map(str, found.about)


async def test_of_too_many_logs_those_are_read_that_metrics_call_ill():
    crowd = [row for n in range(60) for row in client(f"app-{n:02}", secret=False)]
    labels = {"service": "app-57", "signal": "errors", "statistic": "ratio", "unit": "ratio"}
    row = {"labels": labels, "before": 0.0, "during": 0.4, "strength": 40.0, "points": []}
    told = evidence("prometheus.list_services", {}, {"signals": [row], "calls": []})
    read = chosen(case(*crowd, more=[told]))
    assert len(read) == 40
    assert read[0].owner.name == "app-57"
