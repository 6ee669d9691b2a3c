"""An alert that no system can be asked for by its id is triaged by its own words."""

import pytest

from assistant.triage.desk import Desk
from assistant.triage.intake import narrow, take_in
from tests.assistant.checks.cluster import NOW
from tests.assistant.duty.told import alert
from tests.assistant.triage.recorded import desk_of

pytestmark = pytest.mark.anyio


def desk(given):
    workloads = [{"kind": "Deployment", "name": "checkout", "namespace": "shop"}]
    plain = desk_of({"kubernetes.list_deployments": {"workloads": workloads}})
    return Desk(plain.toolbox, lambda: NOW, lambda: 1.0, plain.lookback, given=given)


async def test_the_given_alert_is_the_alert_and_pagerduty_is_not_asked_for_it():
    told = alert(
        "Errors", namespace="shop", service="checkout", instance="10.0.0.1:9090"
    ).by_value()
    here = desk(told)
    taken = await take_in(here, told.id)
    assert (taken.id, taken.title, taken.created_at) == (told.id, "Errors", told.created_at)
    assert taken.labels == {"alertname": "Errors", "namespace": "shop", "service": "checkout"}
    assert here.toolbox.asked == []


async def test_its_labels_say_where_to_look():
    told = alert("Errors", namespace="shop", service="checkout").by_value()
    here = desk(told)
    scope = await narrow(here, await take_in(here, told.id))
    assert scope.namespaces == ("shop",)
    assert [str(entity) for entity in scope.entities] == ["Deployment shop/checkout"]


async def test_another_alert_than_the_given_one_is_asked_for():
    here = desk(alert("Errors").by_value())
    here.toolbox.answers["pagerduty.get_incident"] = {"incident": {"id": "Q1", "title": "5xx"}}
    assert (await take_in(here, "Q1")).title == "5xx"
