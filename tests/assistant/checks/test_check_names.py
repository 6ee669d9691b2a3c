"""Name resolution: pods that ask the wrong resolver, the cluster's DNS itself, and names nobody has."""

import pytest

from assistant.checks import absent, cluster_dns, names
from tests.assistant.checks.cluster import (
    ago,
    case,
    container,
    deployment,
    kinds,
    logs,
    only,
    pod,
    replica_set,
    service,
    state,
    thing,
)

pytestmark = pytest.mark.anyio
NO_HOST = "java.net.UnknownHostException: db"
DNS = service("kube-dns", namespace="kube-system", selector={"k8s-app": "kube-dns"},
              spec={"clusterIP": "10.96.0.10"}, ports=[{"port": 53, "protocol": "UDP"}])  # fmt: skip


def listed(*items):
    return {"kind": items[0]["kind"], "items": list(items), "next_cursor": ""}


def world(pod_spec=None, *, ready=False, name="web"):
    """`web` calls the Service `db` by name."""
    asking = container(name, env=[{"name": "DB", "value": "jdbc:mysql://db:3306/shop"}])
    spec = {"nodeName": "worker-1", **(pod_spec or {})}
    return [
        deployment(name, asking, pod=pod_spec or {}),
        replica_set(f"{name}-1", owner=("Deployment", name)),
        pod(f"{name}-1-a", asking, owner=("ReplicaSet", f"{name}-1"), labels={"app": name},
            states=[state(name, ready=ready)], ready=ready, spec=spec),
        service("db", ports=[{"port": 3306}]),
    ]  # fmt: skip


def said(text, **more):
    return {"kubernetes.get_pod_logs web-1-a": logs(text),
            "kubernetes.list_resources Service": listed(DNS), **more}  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.9.9.9"]}}, "nameserver 10.9.9.9"),
        ({"dnsPolicy": "Default"}, "the node's resolver"),
        ({"hostNetwork": True}, "on the host's network"),
        (
            {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.96.0.10"]}},
            "without search domains",
        ),
    ],
)
async def test_a_pod_that_asks_the_wrong_resolver(spec, words):
    found = await only(names.check, case(*world(spec), answers=said(NO_HOST)))
    assert (found.kind, str(found.entity)) == ("wrong_dns_policy", "Deployment shop/web")
    assert words in found.statement
    assert found.strength == 0.97


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"dnsPolicy": "ClusterFirst"},
        {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"},
        {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["169.254.20.10"], "searches": ["shop.svc.cluster.local"]}},
        {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.96.0.10"], "searches": ["shop.svc.cluster.local"]}},
    ],
)  # fmt: skip
async def test_a_pod_that_asks_the_cluster_rightly(spec):
    assert await kinds(names.check, case(*world(spec), answers=said(NO_HOST))) == []


async def test_an_odd_policy_that_harms_nobody_is_no_fault():
    assert await kinds(names.check, case(*world({"dnsPolicy": "Default"}, ready=True))) == []


async def test_an_odd_policy_without_a_word_in_the_log_is_a_weaker_sign():
    found = await only(names.check, case(*world({"dnsPolicy": "Default"})))
    assert found.strength < 0.8


COREFILE = (
    ".:53 {\n  errors\n  kubernetes cluster.local in-addr.arpa\n  forward . /etc/resolv.conf\n}\n"
)
TEMPLATE = "  template ANY ANY svc.cluster.local {\n    rcode NXDOMAIN\n  }\n"


def corefile(text):
    return thing(
        "ConfigMap", "coredns", namespace="kube-system", created=ago(20), data={"Corefile": text}
    )


def deaf(text, **more):
    two = [*world(), *[o for o in world(name="front") if o["kind"] != "Service"]]
    answers = {
        "kubernetes.get_pod_logs": logs(NO_HOST),
        "kubernetes.list_resources ConfigMap": listed(corefile(text)),
        "kubernetes.list_resources Service": listed(DNS),
        **more,
    }
    return case(*two, answers=answers)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (COREFILE.replace("  kubernetes cluster.local in-addr.arpa\n", ""), "no kubernetes plugin"),
        (COREFILE.replace("  errors\n", TEMPLATE), "answers NXDOMAIN"),
    ],
)
async def test_a_corefile_by_which_services_have_no_names(text, words):
    found = await only(cluster_dns.check, deaf(text))
    assert found.kind == "coredns_misconfigured"
    assert words in found.statement


async def test_a_corefile_that_is_right_is_left_alone():
    assert await kinds(cluster_dns.check, deaf(COREFILE)) == []


async def test_one_workload_that_is_deaf_is_not_the_clusters_dns():
    given = case(*world(), answers={"kubernetes.get_pod_logs": logs(NO_HOST),
                                    "kubernetes.list_resources ConfigMap": listed(corefile("x"))})  # fmt: skip
    assert await kinds(cluster_dns.check, given) == []


async def test_a_dns_that_is_switched_off():
    off = deployment("coredns", namespace="kube-system", replicas=0)
    found = await only(
        cluster_dns.check, deaf(COREFILE, **{"kubernetes.list_resources Deployment": listed(off)})
    )
    assert found.kind == "coredns_unavailable"


async def test_a_kube_system_without_a_service_for_dns():
    other = service("metrics-server", namespace="kube-system")
    found = await only(
        cluster_dns.check, deaf(COREFILE, **{"kubernetes.list_resources Service": listed(other)})
    )
    assert found.kind == "dns_service_missing"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("[ERROR] plugin/errors: 2 example.com. A: read udp 10.1.0.2:53->8.8.8.8:53: i/o timeout", "dns_upstream_unreachable"),
        ("/etc/coredns/Corefile:4 - Error during parsing: Unknown directive 'forwrd'", "coredns_misconfigured"),
    ],
)  # fmt: skip
async def test_what_the_dns_server_says_of_itself(line, kind):
    server = pod("coredns-1", namespace="kube-system", owner=None, labels={"k8s-app": "kube-dns"})
    given = case(server, answers={"kubernetes.get_pod_logs coredns-1": logs(line)})
    assert kind in await kinds(cluster_dns.check, given)


def without_db(*more):
    return [o for o in world() if o["kind"] != "Service"] + list(more)


async def test_a_service_that_is_called_and_does_not_exist():
    found = await only(absent.check, case(*without_db(), answers=said(NO_HOST)))
    assert (found.kind, str(found.entity)) == ("service_missing", "Service shop/db")
    assert "Deployment shop/web" in map(str, found.about)


async def test_a_name_that_is_configured_and_never_missed_is_no_fault():
    assert await kinds(absent.check, case(*without_db())) == []


async def test_a_name_that_is_nearly_right_is_the_callers_slip():
    calls = container("web", env=[{"name": "DB", "value": "mysql-primry:3306"}])
    objects = [
        deployment("web", calls),
        *without_db()[1:],
        service("mysql-primary", ports=[{"port": 3306}]),
    ]
    answers = {"kubernetes.get_pod_logs web-1-a": logs("lookup mysql-primry: no such host")}
    found = await only(absent.check, case(*objects, answers=answers))
    assert (found.kind, found.entity.name) == ("service_env_var_address_mismatch", "web")
    assert "mysql-primary" in found.statement


async def test_a_quota_that_is_full_tells_why_the_service_is_missing_and_is_told_elsewhere():
    full = thing(
        "ResourceQuota", "few", status={"hard": {"services": "1"}, "used": {"services": "1"}}
    )
    assert await kinds(absent.check, case(*without_db(full), answers=said(NO_HOST))) == []


@pytest.mark.parametrize(("target", "wrong"), [("10.0.0.7", True), ("gone.shop.svc.cluster.local", True),
                                               ("db.shop.svc.cluster.local", False), ("db.example.com", False)])  # fmt: skip
async def test_an_external_name_and_where_it_leads(target, wrong):
    alias = service("store", selector={}, spec={"type": "ExternalName", "externalName": target})
    assert await kinds(absent.check, case(service("db"), alias)) == (
        ["external_name_wrong"] if wrong else []
    )
