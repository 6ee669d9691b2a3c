"""Label selectors: as the text that the API server takes, and held against labels. Pure."""

from __future__ import annotations

from mcp_servers.kubernetes.fields import Object, as_list, as_object, objects, text_at


def selector_text(selector: Object) -> str:
    """A LabelSelector as `app=web,tier in (a,b),!legacy`."""
    parts = [f"{key}={value}" for key, value in as_object(selector.get("matchLabels")).items()]
    for expression in objects(selector.get("matchExpressions")):
        key, operator = text_at(expression, "key"), text_at(expression, "operator")
        values = ",".join(str(value) for value in as_list(expression.get("values")))
        parts.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "Exists": key,
                "DoesNotExist": f"!{key}",
            }.get(operator, key)
        )
    return ",".join(parts)


def selects(selector: Object, labels: Object) -> bool:
    """Whether a LabelSelector matches; an empty one selects everything."""
    plain = as_object(selector.get("matchLabels"))
    return all(labels.get(key) == value for key, value in plain.items()) and all(
        _expression_holds(expression, labels)
        for expression in objects(selector.get("matchExpressions"))
    )


def _expression_holds(expression: Object, labels: Object) -> bool:
    key, operator = text_at(expression, "key"), text_at(expression, "operator")
    values = as_list(expression.get("values"))
    return {
        "In": key in labels and labels[key] in values,
        "NotIn": key not in labels or labels[key] not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }.get(operator, False)
