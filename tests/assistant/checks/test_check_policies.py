"""NetworkPolicies: guilty only where a flow that somebody needs is blocked and fails."""

import pytest

from assistant.checks import policies
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    deployment,
    kinds,
    logs,
    node,
    only,
    pod,
    replica_set,
    service,
    state,
    thing,
)

pytestmark = pytest.mark.anyio
TIMEOUT = "dial tcp web:80: i/o timeout calling http://web:80/v1"
NO_HOST = "dial tcp: lookup web on 10.96.0.10:53: no such host"


def place(name):
    item = thing("Namespace", name, labels={"kubernetes.io/metadata.name": name})
    item["metadata"].pop("namespace")
    return item


PLACE = place("shop")


def shop(*more, port=8080):
    """`front` calls `web`."""
    env = [{"name": "WEB", "value": "http://web:80"}]
    front = deployment("front", container("front", env=env))
    listening = container("web", ports=[{"name": "http", "containerPort": port}])
    return [
        PLACE,
        front,
        replica_set("front-1", owner=("Deployment", "front")),
        pod("front-1-a", container("front"), owner=("ReplicaSet", "front-1"), labels={"app": "front"},
            states=[state("front", ready=True)], ready=True),
        deployment("web", listening),
        replica_set(),
        pod("web-6d4b9-a", listening, states=[state(ready=True)], ready=True),
        service("web"),
        *more,
    ]  # fmt: skip


def policy(name="deny", *, minutes=600, **spec):
    spec.setdefault("podSelector", {})
    return thing("NetworkPolicy", name, created=ago(minutes), spec=spec)


def speaking(text):
    return {"kubernetes.get_pod_logs front-1-a": logs(text)}


async def test_a_policy_that_denies_is_no_fault_while_nothing_fails():
    assert await kinds(policies.check, case(*shop(policy()))) == []


async def test_a_timeout_to_the_service_that_a_policy_guards():
    found = await only(policies.check, case(*shop(policy()), answers=speaking(TIMEOUT)))
    assert (found.kind, str(found.entity)) == ("network_policy_blocks", "NetworkPolicy shop/deny")
    assert found.details["direction"] == "Ingress"
    assert "TCP 8080 from pods app=front" in found.details["missing_rule"]
    assert found.strength == 0.95


async def test_a_timeout_to_something_else_does_not_convict_the_policy():
    words = "dial tcp 203.0.113.9:443: i/o timeout"
    assert await kinds(policies.check, case(*shop(policy()), answers=speaking(words))) == []


async def test_a_policy_as_new_as_the_trouble_that_blocks_a_configured_call():
    found = await only(policies.check, case(*shop(policy(minutes=16))))
    assert (found.kind, found.strength) == ("network_policy_blocks", 0.85)
    assert found.began is not None


async def test_a_new_policy_in_a_cluster_whose_network_keeps_none_is_innocent():
    flannel = node(conditions=[
        {"type": "Ready", "status": "True"},
        {"type": "NetworkUnavailable", "status": "False", "reason": "FlannelIsUp"},
    ])  # fmt: skip
    assert await kinds(policies.check, case(*shop(policy(minutes=16), flannel))) == []


async def test_a_rule_that_admits_the_caller_acquits():
    rule = {
        "from": [{"podSelector": {"matchLabels": {"app": "front"}}}],
        "ports": [{"port": "http"}],
    }
    allow = policy("allow", minutes=16, ingress=[rule])
    assert await kinds(policies.check, case(*shop(policy(minutes=16), allow))) == []


async def test_a_rule_for_another_port_does_not_help():
    rule = {"from": [{"podSelector": {"matchLabels": {"app": "front"}}}], "ports": [{"port": 9090}]}
    found = await only(policies.check, case(*shop(policy(minutes=16, ingress=[rule]))))
    assert "none of its 1 ingress rules" in found.details["missing_rule"]


DNS = pod("coredns-1", container("coredns", ports=[{"containerPort": 53, "protocol": "UDP"}]),
          namespace="kube-system", owner=None, labels={"k8s-app": "kube-dns"}, ready=True)  # fmt: skip
SYSTEM = place("kube-system")
TO_WEB = {"to": [{"podSelector": {"matchLabels": {"app": "web"}}}]}


async def test_default_deny_egress_without_port_53_is_deaf():
    deny = policy("egress", policyTypes=["Egress"], egress=[TO_WEB])
    found = await only(policies.check, case(*shop(deny, DNS, SYSTEM), answers=speaking(NO_HOST)))
    assert (found.kind, found.details["port"]) == ("dns_egress_blocked", "53")


@pytest.mark.parametrize(
    "rule",
    [
        {"ports": [{"port": 53, "protocol": "UDP"}]},
        {"to": [{"namespaceSelector": {}}]},
        {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}], "ports": [{"port": 53, "protocol": "UDP"}]},
        {"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}], "ports": [{"port": 53, "protocol": "UDP"}]},
    ],
)  # fmt: skip
async def test_a_rule_that_lets_pods_ask_the_dns(rule):
    deny = policy("egress", policyTypes=["Egress"], egress=[TO_WEB, rule])
    assert (
        await kinds(policies.check, case(*shop(deny, DNS, SYSTEM), answers=speaking(NO_HOST))) == []
    )


async def test_where_the_dns_pods_are_hidden_the_port_alone_decides():
    open_ = policy(
        "egress",
        policyTypes=["Egress"],
        egress=[TO_WEB, {"ports": [{"port": 53, "protocol": "UDP"}]}],
    )
    shut = policy("egress", policyTypes=["Egress"], egress=[{**TO_WEB, "ports": [{"port": 8080}]}])
    assert await kinds(policies.check, case(*shop(open_), answers=speaking(NO_HOST))) == []
    assert await kinds(policies.check, case(*shop(shut), answers=speaking(NO_HOST))) == [
        "dns_egress_blocked"
    ]


async def test_an_egress_policy_that_lacks_the_callee_names_its_labels():
    rule = {"ports": [{"port": 53, "protocol": "UDP"}]}
    deny = policy(
        "egress",
        policyTypes=["Egress"],
        podSelector={"matchLabels": {"app": "front"}},
        egress=[rule],
    )
    found = await only(policies.check, case(*shop(deny), answers=speaking(TIMEOUT)))
    assert (found.kind, found.details["direction"]) == ("network_policy_blocks", "Egress")
    assert "to pods app=web" in found.details["missing_rule"]


async def test_a_call_that_only_the_log_tells_of():
    objects = [
        o for o in shop(policy()) if (o["kind"], o["metadata"]["name"]) != ("Deployment", "front")
    ]
    quiet = deployment("front", container("front"))
    found = await only(policies.check, case(*objects, quiet, answers=speaking(TIMEOUT)))
    assert found.details["client"] == "front"


async def test_a_policy_that_selects_nothing_is_a_note_from_long_ago():
    idle = policy("idle", podSelector={"matchLabels": {"app": "gone"}})
    found = await only(policies.check, case(*shop(idle)))
    assert (found.kind, found.active, found.strength) == ("policy_selects_nothing", False, 0.1)
