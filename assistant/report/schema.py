"""A report as JSON, and the published JSON schema that it validates against."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from assistant.incident import Report, Series

VERSION = "1.0.0"
ID = f"urn:incident-assistant:report:{VERSION}"


def to_json(report: Report) -> str:
    """The whole report as JSON that validates against `schema()`.

    Findings carry their id, by which hypotheses name them. A sample that is not a number is left
    out: JSON has no word for it, and a missing sample means the same.
    """
    finite = report.model_copy(update={"series": tuple(map(_finite, report.series))})
    document = {"$schema": ID, **finite.model_dump(mode="json")}
    for name, facts in (("findings", report.findings), ("noise", report.noise)):
        document[name] = [
            {"id": fact.id, **shown} for fact, shown in zip(facts, document[name], strict=True)
        ]
    return json.dumps(_plain(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str) -> Report:
    """The report that `to_json` wrote."""
    document = json.loads(text)
    document.pop("$schema", None)
    for fact in (*document["findings"], *document["noise"]):
        fact.pop("id", None)
    return Report.model_validate(document)


def schema() -> dict[str, Any]:
    """The JSON schema of a report, made from the model; published as docs/report.schema.json."""
    made = Report.model_json_schema(mode="serialization")
    made["properties"] = {"$schema": {"const": ID}, **made["properties"]}
    made["required"] = ["$schema", *made["required"]]
    finding = made["$defs"]["Finding"]
    identity = {"type": "string", "description": "what hypotheses name this finding by"}
    finding["properties"] = {"id": identity, **finding["properties"]}
    finding["required"] = ["id", *finding["required"]]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID}
    return head | {"version": VERSION} | made


def schema_text() -> str:
    """The schema as it stands in docs/report.schema.json."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _finite(series: Series) -> Series:
    points = tuple(point for point in series.points if math.isfinite(point[1]))
    return series.model_copy(update={"points": points})


def _plain(value: Any) -> Any:
    """`value` with what JSON cannot hold replaced: numbers that are none, halves of characters."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_plain(str(key)): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
