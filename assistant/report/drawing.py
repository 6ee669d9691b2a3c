"""The topology around the fault as an inline SVG: rows from top to bottom, by who leans on whom."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import groupby
from statistics import fmean

from assistant.incident import Edge, Entity, Report
from assistant.report.graph import around, blamed, unhealthy
from assistant.report.words import cut

MOST_LAYERS = 8
MOST_IN_A_ROW = 4
BOX_WIDTH, BOX_HEIGHT = 188, 48
GAP_X, GAP_Y = 22, 52
MARGIN = 8


@dataclass(frozen=True)
class Place:
    """The upper left corner of a box."""

    x: int
    y: int


def topology_svg(report: Report) -> str:
    """One `<svg>` element, styled by the page's classes; empty where no relation was seen."""
    near = around(report)
    if not near.entities:
        return ""
    places = _places(near.entities, near.edges)
    width = max(place.x for place in places.values()) + BOX_WIDTH + MARGIN
    height = max(place.y for place in places.values()) + BOX_HEIGHT + MARGIN
    causes, ill = blamed(report), unhealthy(report)
    lines = [_edge(edge, places) for edge in near.edges if edge.source != edge.target]
    boxes = [_box(entity, places[entity], _state(entity, causes, ill)) for entity in near.entities]
    return (
        f'<svg class="topology" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="topology around the fault">{"".join(lines + boxes)}</svg>'
    )


def _state(entity: Entity, causes: frozenset[Entity], ill: frozenset[Entity]) -> str:
    return "cause" if entity in causes else "ill" if entity in ill else "fine"


def _layers(entities: tuple[Entity, ...], edges: tuple[Edge, ...]) -> list[list[Entity]]:
    """Each thing beneath all that point at it; a cycle ends in the last layer."""
    depth = dict.fromkeys(entities, 0)
    for _ in range(MOST_LAYERS - 1):
        for edge in edges:
            wanted = min(depth[edge.source] + 1, MOST_LAYERS - 1)
            if edge.source != edge.target:
                depth[edge.target] = max(depth[edge.target], wanted)
    _sink_roots(depth, edges)
    found = sorted(entities, key=depth.__getitem__)
    return [list(group) for _, group in groupby(found, key=depth.__getitem__)]


def _sink_roots(depth: dict[Entity, int], edges: tuple[Edge, ...]) -> None:
    # What nothing points at stands right above what it points at, not at the far top.
    pointed_at = {edge.target for edge in edges}
    for root in [entity for entity in depth if entity not in pointed_at]:
        beneath = [depth[edge.target] for edge in edges if edge.source == root]
        depth[root] = max(min(beneath) - 1, 0) if beneath else depth[root]


def _rows(layers: list[list[Entity]]) -> list[list[Entity]]:
    size = MOST_IN_A_ROW
    return [layer[i : i + size] for layer in layers for i in range(0, len(layer), size)]


def _places(entities: tuple[Entity, ...], edges: tuple[Edge, ...]) -> dict[Entity, Place]:
    rows = _rows(_layers(entities, edges))
    widest = max(map(len, rows))
    places: dict[Entity, Place] = {}
    for number, row in enumerate(rows):
        indent = (widest - len(row)) * (BOX_WIDTH + GAP_X) // 2
        for index, entity in enumerate(sorted(row, key=lambda one: _pull(one, edges, places))):
            x = MARGIN + indent + index * (BOX_WIDTH + GAP_X)
            places[entity] = Place(x, MARGIN + number * (BOX_HEIGHT + GAP_Y))
    return places


def _pull(entity: Entity, edges: tuple[Edge, ...], places: dict[Entity, Place]) -> float:
    """How far right the already placed neighbours stand, so that lines cross less."""
    found = [places[e.source].x for e in edges if e.target == entity and e.source in places]
    return fmean(found) if found else 0.0


def _box(entity: Entity, place: Place, state: str) -> str:
    mark = {"cause": " · cause", "ill": " · unhealthy"}.get(state, "")
    full = escape(cut(str(entity), 300))
    name = str(entity).removeprefix(f"{entity.kind} ")
    return (
        f'<g class="{state}"><title>{full}</title>'
        f'<rect x="{place.x}" y="{place.y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>'
        f'<text class="kind" x="{place.x + 12}" y="{place.y + 19}">'
        f"{escape(cut(entity.kind, 18))}{mark}</text>"
        f'<text x="{place.x + 12}" y="{place.y + 36}">{escape(cut(name, 24))}</text></g>'
    )


def _edge(edge: Edge, places: dict[Entity, Place]) -> str:
    source, target = places[edge.source], places[edge.target]
    x1, x2 = source.x + BOX_WIDTH // 2, target.x + BOX_WIDTH // 2
    y1, y2 = source.y + BOX_HEIGHT, target.y
    if y2 < y1:  # a line back up, or along a row, leaves at the top
        y1 = source.y
    bend = max(abs(y2 - y1) // 2, 24)
    path = f"M{x1} {y1} C{x1} {y1 + bend} {x2} {y2 - bend} {x2} {y2}"
    at_x, at_y = (x1 + x2) // 2, (y1 + y2) // 2 + 4
    return (
        f'<path class="edge" d="{path}"/><circle class="tip" cx="{x2}" cy="{y2}" r="3"/>'
        f'<text class="relation" x="{at_x}" y="{at_y}" text-anchor="middle">'
        f"{escape(cut(edge.relation, 22))}</text>"
    )
