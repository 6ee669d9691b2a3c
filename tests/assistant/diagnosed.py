"""A small shop for the diagnosis: a chain of callers, findings with a time, and what is concluded."""

from datetime import UTC, datetime, timedelta

from assistant.diagnosis import Diagnosis, diagnose
from assistant.incident import (
    Alert,
    Citation,
    Edge,
    Entity,
    Finding,
    Hypothesis,
    Scope,
    Window,
)
from assistant.topology import Topology

NOW = datetime(2026, 3, 14, 2, 26, tzinfo=UTC)
BEGAN = NOW - timedelta(minutes=15)
SECRET = Entity(kind="Secret", name="tariffs-db", namespace="shop")
NODE = Entity(kind="Node", name="worker-1")


def workload(name):
    return Entity(kind="Deployment", name=name, namespace="shop")


def service(name):
    return Entity(kind="Service", name=name, namespace="shop")


PORTAL, QUOTES, TARIFFS = workload("portal"), workload("quotes"), workload("tariffs")


def ways(*pairs, relation="called by"):
    return Topology(tuple(Edge(source=a, relation=relation, target=b) for a, b in pairs))


CHAIN = Topology(
    (
        Edge(source=SECRET, relation="needed by", target=TARIFFS),
        Edge(source=TARIFFS, relation="serves", target=service("tariffs")),
        Edge(source=service("tariffs"), relation="called by", target=QUOTES),
        Edge(source=QUOTES, relation="called by", target=PORTAL),
    )
)


def found(kind, entity, minutes=20, **fields):
    """A finding that began so many minutes ago."""
    began = None if minutes is None else NOW - timedelta(minutes=minutes)
    quote = f"{kind} {entity}"
    given_ = {"statement": f"{entity} shows {kind}", "began": began, **fields}
    citation = Citation(evidence=f"e-{kind}-{entity.name}", quote=quote)
    return Finding(kind=kind, entity=entity, citations=(citation,), **given_)


def incident(entities=(PORTAL,)):
    """An alert of fifteen minutes ago, and what it speaks of."""
    window = Window(start=NOW - timedelta(hours=1, minutes=15), end=NOW)
    scope = Scope(namespaces=("shop",), entities=tuple(entities), window=window, began=BEGAN)
    return Alert(id="Q1", title="portal answers 503", created_at=BEGAN), scope


def concluded(findings, topology=CHAIN, *, entities=(PORTAL,), quiet=False, **more) -> Diagnosis:
    """What the diagnosis makes of these findings."""
    return diagnose(*incident(entities), findings, topology, quiet=quiet, **more)


def rival(diagnosis: Diagnosis, entity: Entity) -> Hypothesis:
    """The row of that thing among the rivals."""
    return next(row for row in diagnosis.rivals if row.entity == entity)


def why_not(diagnosis: Diagnosis, entity: Entity) -> str:
    """Why that thing was ruled out."""
    return rival(diagnosis, entity).against[0].text
