"""Probes: a wrong probe is told from an application that is ill; start-up noise is neither."""

import pytest

from assistant.checks import probes
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    event,
    kinds,
    only,
    pod,
    service,
    state,
    web,
)

pytestmark = pytest.mark.anyio
PORTS = [{"name": "http", "containerPort": 8080}]
KILLED = {"reason": "Error", "exitCode": 137, "finishedAt": ago(4)}


def http(port=8080, **more):
    return {"httpGet": {"port": port, "path": "/healthz"}, **more}


def grpc(port):
    return {"grpc": {"port": port}}


def probed(words, *, status=None, ready=False, minutes=5, **spec):
    """A pod whose probe failed in these words."""
    asked = container(ports=PORTS, **spec)
    broken = pod("web-6d4b9-x2x7p", asked, states=[status or state(ready=ready)], ready=ready)
    return case(
        *web(),
        service(),
        broken,
        events=[event(broken, "Unhealthy", words, minutes=minutes)],
    )


def refused(probe, port):
    return f'{probe} probe failed: Get "http://10.1.0.9:{port}/healthz": dial tcp 10.1.0.9:{port}: connect: connection refused'


async def test_a_readiness_probe_of_a_port_that_nobody_listens_on():
    found = await only(probes.check, probed(refused("Readiness", 9090), readinessProbe=http(9090)))
    assert found.kind == "readiness_probe_incorrect_port"
    assert found.details["port"] == "9090"


async def test_an_undeclared_port_alone_proves_nothing():
    agent = container("agent", ports=[{"containerPort": 15090}], startupProbe=http(15021))
    broken = pod("web-6d4b9-x2x7p", agent, states=[state("agent")], ready=False)
    said = event(broken, "Unhealthy", refused("Startup", 15021))
    given = case(*web(), broken, events=[said])
    assert await kinds(probes.check, given) == ["startup_failing"]


async def test_a_liveness_probe_of_a_port_that_nobody_listens_on():
    looping = state(restarts=4, last=KILLED)
    given = probed(refused("Liveness", 9090), status=looping, livenessProbe=http(9090))
    assert (await only(probes.check, given)).kind == "liveness_probe_incorrect_port"


async def test_a_grpc_probe_of_a_wrong_port_times_out_and_is_not_refused():
    words = 'Liveness probe failed: timeout: failed to connect service "10.1.0.9:9090" within 1s: context deadline exceeded'
    given = probed(words, status=state(restarts=4, last=KILLED), livenessProbe=grpc(9090))
    assert (await only(probes.check, given)).kind == "liveness_probe_incorrect_port"


@pytest.mark.parametrize(
    "words",
    [
        'Get "http://10.1.0.9:8080/": net/http: HTTP/1.x transport connection broken: malformed HTTP response',
        'Get "https://10.1.0.9:8080/": http: server gave HTTP response to HTTPS client',
    ],
)
async def test_a_probe_that_speaks_the_wrong_protocol(words):
    given = probed(f"Readiness probe failed: {words}", readinessProbe=http())
    assert (await only(probes.check, given)).kind == "readiness_probe_incorrect_protocol"


async def test_an_application_that_answers_503_is_ill_and_its_probe_is_right():
    words = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    assert (
        await only(probes.check, probed(words, readinessProbe=http()))
    ).kind == "readiness_failing"


async def test_an_application_that_does_not_listen_yet_is_ill_and_its_probe_is_right():
    given = probed(refused("Readiness", 8080), readinessProbe=http())
    assert (await only(probes.check, given)).kind == "readiness_failing"


async def test_a_liveness_probe_that_gives_no_time_to_start():
    impatient = http(initialDelaySeconds=2, periodSeconds=2, failureThreshold=2)
    given = probed(
        refused("Liveness", 8080), status=state(restarts=5, last=KILLED), livenessProbe=impatient
    )
    assert (await only(probes.check, given)).kind == "liveness_probe_incorrect_timing"


async def test_probe_failures_while_starting_that_ended_are_nothing():
    given = probed(refused("Readiness", 8080), ready=True, minutes=19, readinessProbe=http())
    assert await kinds(probes.check, given) == []


async def test_a_liveness_failure_below_the_threshold_is_nothing():
    given = probed(refused("Liveness", 8080), ready=True, minutes=19, livenessProbe=http())
    assert await kinds(probes.check, given) == []


async def test_a_restart_of_last_week_does_not_make_one_failed_probe_a_fault():
    old = {**KILLED, "finishedAt": ago(days=6)}
    words = "Liveness probe failed: HTTP probe failed with statuscode: 500"
    given = probed(
        words, status=state(restarts=1, last=old, ready=True), ready=True, livenessProbe=http()
    )
    assert await kinds(probes.check, given) == []


async def test_a_failure_of_one_probe_is_not_held_against_another():
    given = probed(refused("Startup", 8080), livenessProbe=http(), readinessProbe=http())
    assert await kinds(probes.check, given) == []


@pytest.mark.parametrize("port", [[], {}, None, 1.5])
async def test_a_port_that_is_none_breaks_nothing(port):
    given = probed(refused("Readiness", 8080), readinessProbe=http(port))
    assert await kinds(probes.check, given) == ["readiness_failing"]


def young(words, **spec):
    """A pod that was never Ready."""
    asked = container(ports=PORTS, **spec)
    broken = pod("web-6d4b9-x2x7p", asked, states=[state(ready=False)], created=ago(20))
    return case(*web(), service(), broken, events=[event(broken, "Unhealthy", words)])


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, "readiness_probe_incorrect_path"),
        (401, "readiness_probe_unauthorized"),
        (500, "readiness_failing"),
    ],
)
async def test_what_a_program_answers_from_the_start_tells_a_wrong_path(status, kind):
    words = f"Readiness probe failed: HTTP probe failed with statuscode: {status}"
    assert await kinds(probes.check, young(words, readinessProbe=http())) == [kind]


async def test_a_path_that_was_good_before_is_not_wrong_now():
    given = young(
        "Readiness probe failed: HTTP probe failed with statuscode: 404", readinessProbe=http()
    )
    conditions = given.snapshot.of("Pod")[0].raw["status"]["conditions"]
    conditions[0]["lastTransitionTime"] = ago(5)
    assert await kinds(probes.check, given) == ["readiness_failing"]


async def test_plain_text_to_a_port_that_wants_tls():
    ports = [{"name": "https", "containerPort": 8443}]
    broken = pod("web-6d4b9-x", container(ports=ports, readinessProbe=http(8443)), states=[state()])
    said = event(
        broken, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 400"
    )
    found = await only(probes.check, case(*web(), broken, events=[said]))
    assert found.kind == "readiness_probe_incorrect_protocol"


async def test_a_command_that_the_image_does_not_have():
    words = 'Readiness probe errored: rpc error: OCI runtime exec failed: exec: "curl": executable file not found in $PATH'
    given = young(words, readinessProbe={"exec": {"command": ["curl", "localhost"]}})
    assert (await only(probes.check, given)).kind == "readiness_probe_bad_command"


async def test_a_port_by_a_name_that_no_container_has():
    words = "Readiness probe errored: couldn't find port: web"
    found = await only(probes.check, young(words, readinessProbe=http("web")))
    assert found.kind == "readiness_probe_incorrect_port"
    assert "8080 (http)" in found.statement


async def test_a_liveness_probe_with_less_patience_than_the_readiness_probe_that_passes():
    words = "Liveness probe failed: context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    given = probed(
        words,
        status=state(ready=True, restarts=3, last=KILLED),
        ready=True,
        livenessProbe=http(timeoutSeconds=1),
        readinessProbe=http(timeoutSeconds=5),
    )
    found = await only(probes.check, given)
    assert found.kind == "liveness_probe_incorrect_timing"
    assert "waits 1 s for an answer, the readiness probe waits 5 s" in found.statement
