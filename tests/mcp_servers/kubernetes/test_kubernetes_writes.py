"""Who wrote an object since it was made, from its managed fields."""

import pytest
from kubernetes_objects import ago, thing

from mcp_servers.kubernetes.trimming import trimmed
from mcp_servers.kubernetes.writes import MOST_FIELDS, MOST_WRITES, last_writes


def entry(at=600, manager="kubectl-edit", fields=None, **more):
    owned = {"f:data": {"f:LIMIT": {}}} if fields is None else fields
    return {
        "manager": manager,
        "operation": "Update",
        "apiVersion": "v1",
        "time": ago(at),
        "fieldsType": "FieldsV1",
        "fieldsV1": owned,
        **more,
    }


def written(*entries):
    metadata = {"creationTimestamp": ago(9000), "managedFields": list(entries)}
    return thing("v1", "ConfigMap", "settings", metadata=metadata)


def test_a_write_tells_when_who_and_which_keys():
    (row,) = last_writes(written(entry()))
    assert row == {
        "at": ago(600), "by": "kubectl-edit", "operation": "Update", "fields": ["data.LIMIT"],
    }  # fmt: skip


def test_the_newest_write_stands_first_and_there_are_few():
    rows = last_writes(written(*(entry(at) for at in (4000, 300, 2000, 1000))))
    assert [row["at"] for row in rows] == [ago(300), ago(1000), ago(2000)]
    assert len(rows) == MOST_WRITES


@pytest.mark.parametrize(
    "silent",
    [
        entry(9000),
        entry(subresource="status"),
        entry(fields={"f:status": {"f:phase": {}}}),
        entry(fields={}),
        {"manager": "old"},
        "nonsense",
    ],
)
def test_creation_status_and_broken_entries_are_no_writes(silent):
    assert last_writes(written(silent)) == []


def test_entries_of_lists_are_known_by_name():
    owned = {
        "f:spec": {
            "f:template": {
                "f:spec": {
                    "f:containers": {'k:{"name":"web"}': {".": {}, "f:image": {}}},
                    "f:tolerations": {"v:anything": {}},
                }
            }
        }
    }
    (row,) = last_writes(written(entry(fields=owned)))
    assert row["fields"] == [
        "spec.template.spec.containers[web].image", "spec.template.spec.tolerations[anything]",
    ]  # fmt: skip


def test_of_many_fields_the_first_are_shown():
    owned = {"f:data": {f"f:K{number}": {} for number in range(40)}}
    (row,) = last_writes(written(entry(fields=owned)))
    assert len(row["fields"]) == MOST_FIELDS


def test_the_full_view_shows_the_writes_in_the_place_of_the_managed_fields():
    shown = trimmed(written(entry()))
    assert "managedFields" not in shown["metadata"]
    assert shown["metadata"]["lastWrites"][0]["by"] == "kubectl-edit"
    assert "lastWrites" not in trimmed(written())["metadata"]
