"""NetworkPolicies: the evaluator against a plain reading of the API's definition."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.checks.reading.objects.flows import EGRESS, INGRESS, Flow, Peer, blocks
from assistant.selectors import matches
from assistant.snapshot import Object
from tests.assistant.checks.cluster import evidence

KEYS, VALUES = ("app", "tier"), ("web", "cache", "front")
SEEN = evidence("kubernetes.list_resources", {"kind": "NetworkPolicy"}, {"items": []})


def policy(spec, namespace="shop", name="p"):
    return Object(
        {"metadata": {"name": name, "namespace": namespace}, "spec": spec}, SEEN, "NetworkPolicy"
    )


def peer(namespace="shop", address="10.0.0.1", **labels):
    return Peer(namespace, labels, {"name": namespace}, address, (("http", 8080, "TCP"),))


FRONT, WEB = peer(app="front"), peer(app="web", address="10.0.0.2")
FLOW = Flow(FRONT, WEB, 8080)


def blocked(spec, flow=FLOW, **where):
    return [block.direction for block in blocks(flow, [policy(spec, **where)])]


ONLY_WEB = {"matchLabels": {"app": "web"}}


def test_a_pod_that_no_policy_selects_takes_everything():
    assert blocked({"podSelector": {"matchLabels": {"app": "cache"}}}) == []


def test_a_policy_of_another_namespace_says_nothing():
    assert blocked({"podSelector": {}}, namespace="other") == []


def test_an_empty_policy_denies_ingress_and_not_egress():
    assert blocked({"podSelector": {}}) == [INGRESS]


def test_a_policy_with_egress_rules_and_no_types_denies_both_ways():
    assert blocked(
        {"podSelector": {}, "egress": [{"to": [{"podSelector": {"matchLabels": {"app": "x"}}}]}]}
    ) == [EGRESS, INGRESS]


def test_egress_alone_leaves_ingress_open():
    assert blocked({"podSelector": {}, "policyTypes": ["Egress"]}) == [EGRESS]


def test_an_empty_rule_admits_everything():
    assert blocked({"podSelector": {}, "ingress": [{}]}) == []


def test_two_policies_add_up():
    deny, allow = policy({"podSelector": {}}, name="deny"), policy({"podSelector": ONLY_WEB, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "front"}}}]}]}, name="allow")  # fmt: skip
    assert blocks(FLOW, [deny, allow]) == []
    assert [block.direction for block in blocks(FLOW, [deny])] == [INGRESS]


@pytest.mark.parametrize(
    ("row", "open_"),
    [
        ({"podSelector": {"matchLabels": {"app": "front"}}}, True),
        ({"podSelector": {"matchLabels": {"app": "other"}}}, False),
        ({"podSelector": {}}, True),
        ({"namespaceSelector": {}}, True),
        ({"namespaceSelector": {"matchLabels": {"name": "other"}}}, False),
        ({"namespaceSelector": {"matchLabels": {"name": "shop"}}, "podSelector": {"matchLabels": {"app": "front"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"name": "shop"}}, "podSelector": {"matchLabels": {"app": "x"}}}, False),
        ({"ipBlock": {"cidr": "10.0.0.0/24"}}, True),
        ({"ipBlock": {"cidr": "10.0.0.0/24", "except": ["10.0.0.1/32"]}}, False),
        ({"ipBlock": {"cidr": "192.168.0.0/16"}}, False),
        ({}, False),
    ],
)  # fmt: skip
def test_each_way_to_name_a_peer(row, open_):
    assert (blocked({"podSelector": ONLY_WEB, "ingress": [{"from": [row]}]}) == []) is open_


@pytest.mark.parametrize(
    ("port", "open_"),
    [
        ({"port": 8080}, True),
        ({"port": "8080"}, True),
        ({"port": 80}, False),
        ({"port": "http"}, True),
        ({"port": "grpc"}, False),
        ({"port": 8000, "endPort": 8100}, True),
        ({"port": 8081, "endPort": 8100}, False),
        ({"port": 8080, "protocol": "UDP"}, False),
        ({}, True),
        ({"protocol": "SCTP"}, False),
    ],
)
def test_each_way_to_name_a_port(port, open_):
    assert (blocked({"podSelector": ONLY_WEB, "ingress": [{"ports": [port]}]}) == []) is open_


@pytest.mark.parametrize(
    ("operator", "values", "matched"),
    [("In", ["web"], True), ("In", ["x"], False), ("NotIn", ["x"], True), ("NotIn", ["web"], False),
     ("Exists", [], True), ("DoesNotExist", [], False)],
)  # fmt: skip
def test_each_operator_of_an_expression(operator, values, matched):
    row = {"key": "app", "operator": operator, "values": values}
    assert matches({"matchExpressions": [row]}, {"app": "web"}) is matched


def test_a_key_that_is_absent_is_not_in_any_list():
    row = {"key": "gone", "operator": "NotIn", "values": ["web"]}
    assert matches({"matchExpressions": [row]}, {"app": "web"})


def test_what_is_not_known_is_not_called_blocked():
    unread = Peer("other", {"app": "front"})
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}
    assert blocked({"podSelector": ONLY_WEB, "ingress": [rule]}, Flow(unread, WEB, 8080)) == []
    assert blocked({"podSelector": {}}, Flow(Peer("shop", {}, host=True), WEB, 8080)) == []


labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))
expressions = st.lists(
    st.fixed_dictionaries({
        "key": st.sampled_from(KEYS),
        "operator": st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
        "values": st.lists(st.sampled_from(VALUES), max_size=2),
    }),
    max_size=2,
)  # fmt: skip
selectors = st.fixed_dictionaries(
    {}, optional={"matchLabels": labels, "matchExpressions": expressions}
)
addresses = st.integers(0, 255).map(lambda n: f"10.0.0.{n}")
networks = st.tuples(st.integers(0, 255), st.integers(24, 32)).map(
    lambda row: str(ip_network(f"10.0.0.{row[0]}/{row[1]}", strict=False))
)
ip_blocks = st.fixed_dictionaries(
    {"cidr": networks}, optional={"except": st.lists(networks, max_size=2)}
)
peers_ = st.one_of(
    st.fixed_dictionaries({"podSelector": selectors}),
    st.fixed_dictionaries({"namespaceSelector": selectors}),
    st.fixed_dictionaries({"podSelector": selectors, "namespaceSelector": selectors}),
    st.fixed_dictionaries({"ipBlock": ip_blocks}),
)
numbers = st.integers(1, 6)
ports = st.one_of(
    st.fixed_dictionaries({}, optional={"protocol": st.sampled_from(["TCP", "UDP"])}),
    st.fixed_dictionaries({"port": numbers}, optional={"endPort": numbers, "protocol": st.sampled_from(["TCP", "UDP"])}),
    st.fixed_dictionaries({"port": st.sampled_from(["http", "dns"])}, optional={"protocol": st.sampled_from(["TCP", "UDP"])}),
)  # fmt: skip


def rule_of(side):
    return st.fixed_dictionaries(
        {}, optional={side: st.lists(peers_, max_size=2), "ports": st.lists(ports, max_size=2)}
    )


specs = st.fixed_dictionaries(
    {"podSelector": selectors},
    optional={
        "policyTypes": st.lists(
            st.sampled_from([INGRESS, EGRESS]), min_size=1, max_size=2, unique=True
        ),
        "ingress": st.lists(rule_of("from"), max_size=2),
        "egress": st.lists(rule_of("to"), max_size=2),
    },
)
policies = st.lists(
    st.builds(policy, specs, namespace=st.sampled_from(["shop", "data"])), max_size=3
)
ends = st.builds(
    Peer,
    st.sampled_from(["shop", "data"]),
    labels,
    labels,
    addresses,
    st.just((("http", 3, "TCP"), ("dns", 5, "UDP"))),
)
flows = st.builds(Flow, ends, ends, numbers, st.sampled_from(["TCP", "UDP"]))


def agrees(selector, given_labels):
    for key, value in selector.get("matchLabels", {}).items():
        if given_labels.get(key) != value:
            return False
    for row in selector.get("matchExpressions", []):
        has, value = row["key"] in given_labels, given_labels.get(row["key"])
        if row["operator"] == "In" and not (has and value in row["values"]):
            return False
        if row["operator"] == "NotIn" and has and value in row["values"]:
            return False
        if row["operator"] == "Exists" and not has:
            return False
        if row["operator"] == "DoesNotExist" and has:
            return False
    return True


def is_peer(row, home, other):
    if "ipBlock" in row:
        inside = [ip_address(other.address) in ip_network(row["ipBlock"]["cidr"])]
        holes = [
            ip_address(other.address) in ip_network(n) for n in row["ipBlock"].get("except", [])
        ]
        return all(inside) and not any(holes)
    if "namespaceSelector" in row:
        if not agrees(row["namespaceSelector"], other.namespace_labels):
            return False
    elif other.namespace != home:
        return False
    return agrees(row.get("podSelector", {}), other.labels)


def is_port(row, flow):
    if row.get("protocol", "TCP") != flow.protocol:
        return False
    if "port" not in row:
        return True
    if isinstance(row["port"], str):
        return {("http", "TCP"): 3, ("dns", "UDP"): 5}.get(
            (row["port"], flow.protocol)
        ) == flow.port
    return flow.port in range(row["port"], row.get("endPort", row["port"]) + 1)


def passes(side, direction, flow, rows):
    own, other = (flow.client, flow.server) if direction == EGRESS else (flow.server, flow.client)
    bound = False
    for item in rows:
        spec = item.raw["spec"]
        types = spec.get("policyTypes") or ["Ingress"] + (["Egress"] if spec.get("egress") else [])
        if item.namespace != own.namespace or direction not in types:
            continue
        if not agrees(spec["podSelector"], own.labels):
            continue
        bound = True
        for rule in spec.get(direction.lower(), []):
            who = not rule.get(side) or any(
                is_peer(row, item.namespace, other) for row in rule[side]
            )
            what = not rule.get("ports") or any(is_port(row, flow) for row in rule["ports"])
            if who and what:
                return True
    return not bound


@settings(max_examples=400, deadline=None)
@given(flows, policies)
def test_a_flow_is_blocked_exactly_where_the_definition_says_so(flow, rows):
    open_ways = {
        way for way, side in ((EGRESS, "to"), (INGRESS, "from")) if passes(side, way, flow, rows)
    }
    found = {block.direction for block in blocks(flow, rows)}
    assert found == {EGRESS, INGRESS} - open_ways


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=4), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["podSelector", "ingress", "egress", "from", "to", "ports", "port", "ipBlock", "policyTypes", "matchLabels"]), inner, max_size=4)))  # fmt: skip
def test_no_spec_however_broken_breaks_the_evaluator(spec):
    broken = policy(spec if isinstance(spec, dict) else {})
    assert isinstance(blocks(FLOW, [broken]), list)
