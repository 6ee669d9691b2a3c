"""The last of four programs in a row becomes slow; all that can be asked are metrics, and of machines."""

from __future__ import annotations

from datetime import UTC, datetime

from assistant.incident import Entity, Verdict
from eval.cases.case import Case, Expected, Rival
from eval.cases.clinic import Told, page, tell_change
from eval.cases.ferry import healthy_office
from eval.cases.system import System

TOLD = Told(
    "TicketPurchaseSlow",
    "Buying a ticket takes longer than 2 seconds",
    {"application": "gateway"},
    "p95 of gateway is above 2 s for 5 minutes",
    minutes=14,
    service="Ticketing",
)


def build() -> System:
    """The ticket office twenty-two minutes after the exchange rates became slow."""
    office = healthy_office("whimbrel", datetime(2026, 12, 18, 13, 42, 10, tzinfo=UTC))
    office.affect("exchange", "latency", 2.3, office.ago(minutes=22), ramp_seconds=60)
    released = office.ago(minutes=43)
    summary = "seats 5.4.0 rolled out by ansible"
    tell_change(office, released, summary, source="ansible", service="Ticketing", version="5.4.0")
    page(office, TOLD)
    return office


CASE = Case(
    "whimbrel",
    TOLD.title,
    build,
    Expected(
        Verdict.CAUSE_FOUND,
        "slow_dependency",
        Entity(kind="Service", name="exchange"),
        rivals=(
            Rival(
                Entity(kind="Service", name="seats"),
                "released half an hour before, and as fast as ever",
            ),
            Rival(Entity(kind="Service", name="fares"), "waits for exchange, and is quick itself"),
        ),
    ),
)
