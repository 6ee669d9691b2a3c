"""What nodes, volumes and certificates have run out of, by their own gauges."""

import pytest

from assistant.checks import headroom
from tests.assistant.checks.cluster import case, kinds, node, only

pytestmark = pytest.mark.anyio


def told(value, **labels):
    """A case in which the one question is answered by one series."""
    rows = {"series": [{"labels": labels, "value": value, "time": ""}]}
    address = {"addresses": [{"type": "InternalIP", "address": "10.0.0.7"}]}
    known = node()
    known["status"] |= address
    return case(known, answers={"prometheus.query": rows})


@pytest.mark.parametrize(
    ("bound", "labels", "kind", "entity"),
    [
        ("clock", {"instance": "10.0.0.7:9100"}, "node_clock_skew", "Node worker-1"),
        ("inodes", {"node": "worker-1", "mountpoint": "/"}, "inodes_exhausted", "Node worker-1"),
        ("node disk", {"node": "worker-1", "mountpoint": "/"}, "node_disk_full", "Node worker-1"),
        ("connections", {"instance": "worker-1:9100"}, "conntrack_full", "Node worker-1"),
        ("processes", {"node": "worker-1"}, "pids_exhausted", "Node worker-1"),
        ("volume", {"persistentvolumeclaim": "data-db-0", "namespace": "shop"}, "volume_full",
         "PersistentVolumeClaim shop/data-db-0"),
        ("served certificate", {"instance": "https://shop.example"}, "certificate_expired",
         "Address https://shop.example"),
        ("certificate", {"name": "web-tls", "namespace": "shop"}, "certificate_expired",
         "Certificate shop/web-tls"),
    ],
)  # fmt: skip
async def test_what_has_run_out_is_named_with_the_thing_it_belongs_to(bound, labels, kind, entity):
    found = await only(headroom.check, told(0.01, bound=bound, **labels))
    assert (found.kind, str(found.entity)) == (kind, entity)


async def test_where_nobody_exports_such_gauges_nothing_is_found():
    assert await kinds(headroom.check, case(node())) == []


async def test_a_series_of_nothing_that_is_known_is_left_out():
    assert await kinds(headroom.check, told(0.01, bound="clock")) == []
    assert await kinds(headroom.check, told(0.01, node="worker-1")) == []
