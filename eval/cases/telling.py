"""How the on-call was told: one page and its alert, in one line of a world."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from eval.cases import noise
from eval.cases.shop import CORE, Setting, healthy_shop
from eval.cases.system import Change, Firing, Page, System


def night(
    name: str, as_of: datetime, namespace: str = "storefront", *also: str, noisy: bool = True
) -> System:
    """The smaller shop (and what it is to have besides) at a moment, with the usual noise of a cluster."""
    only = CORE | frozenset(also)
    shop = healthy_shop(Setting(name, "pw-north-1", as_of, namespace, only))
    if noisy:
        noise.usual(shop)
    return shop


@dataclass(frozen=True)
class Told:
    """An alert about a workload (or anything else, by its labels): how long ago, and until when."""

    title: str
    alert: str
    about: str
    minutes: float
    over: float | None = None
    """How many minutes ago it stopped firing; None while it fires."""
    label: str = "service"
    says: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    measured: bool = True
    """Whether Prometheus knows the alert; another system may have sent it."""
    notes: tuple[tuple[float, str], ...] = ()
    """What people wrote on the page: minutes ago, and the words."""


def tell(shop: System, told: Told) -> None:
    """Pages the on-call, and lets the alert fire in Prometheus where that is what saw it."""
    at, workload = shop.ago(minutes=told.minutes), shop.workloads.get(told.about)
    labels = {"severity": "critical", **dict(told.labels)}
    if workload and told.label:
        labels |= {"namespace": workload.namespace, told.label: told.about}
    shop.page = Page(
        alert=told.alert,
        title=told.title,
        service=told.about.capitalize(),
        at=at,
        labels=labels,
        description=told.says or told.title,
        notes=tuple((shop.ago(minutes=minutes), text) for minutes, text in told.notes),
    )
    if told.measured:
        end = None if told.over is None else shop.ago(minutes=told.over)
        shop.firing.append(Firing(told.alert, at, labels, end=end))


def flapped(shop: System, told: Told, times: tuple[tuple[float, float], ...]) -> None:
    """The same alert before: each time from so many minutes ago until so many, and resolved by itself."""
    if shop.page is None:
        raise ValueError("tell of the present alert first")
    for start, end in times:
        before, after = shop.ago(minutes=start), shop.ago(minutes=end)
        page = Page(told.alert, told.title, shop.page.service, before, shop.page.labels, told.says)
        shop.other_pages.append(
            Page(**{**vars(page), "resolved": after + timedelta(minutes=1)}),
        )
        shop.firing.append(Firing(told.alert, before, shop.page.labels, end=after))


def changed(
    shop: System, minutes: float, summary: str, source: str, service: str, **details: str
) -> None:
    """A change event of a pipeline, a person or a flag."""
    shop.changes.append(Change(shop.ago(minutes=minutes), summary, source, service, details))
