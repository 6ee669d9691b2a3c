"""The Kubernetes API's way to say no: `Status` bodies in the words of a real server."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from eval.lab.kubernetes.kinds import Kind

USER = "lab"


class Refusal(Exception):  # noqa: N818 - it is an answer, never a failure of the lab
    """A request that is answered by a Status."""

    def __init__(
        self, code: int, reason: str, message: str, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "details": details or {},
            "code": code,
        }

    def response(self) -> Response:
        """The HTTP answer."""
        return JSONResponse(self.body, self.code)


def not_found(kind: Kind, name: str) -> Refusal:
    """404: no object of that name."""
    message = f'{kind.qualified} "{name}" not found'
    return Refusal(404, "NotFound", message, _details(kind, name))


def forbidden(kind: Kind, verb: str, namespace: str, name: str, subresource: str = "") -> Refusal:
    """403: the user may not do that."""
    resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
    subject = f'{kind.qualified} "{name}"' if name else kind.qualified
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    message = (
        f'{subject} is forbidden: User "{USER}" cannot {verb} resource "{resource}" '
        f'in API group "{kind.group}" {where}'
    )
    return Refusal(403, "Forbidden", message, _details(kind, name))


def _details(kind: Kind, name: str) -> dict[str, Any]:
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return {key: value for key, value in details.items() if value}


def bad_request(message: str) -> Refusal:
    """400: the request makes no sense."""
    return Refusal(400, "BadRequest", message)


def invalid_log_options(pod: str, fault: str) -> Refusal:
    """422: a parameter of a log request is out of its bounds."""
    message = f'PodLogOptions "{pod}" is invalid: {fault}'
    return Refusal(422, "Invalid", message, {"name": pod, "kind": "PodLogOptions"})


def expired() -> Refusal:
    """410: the page that a continue token points at is no longer there."""
    return Refusal(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. "
        "You can start a new list without the continue parameter.",
    )


def not_served(verb: str, path: str) -> Refusal:
    """405: a verb that this path does not take."""
    return Refusal(
        405, "MethodNotAllowed", f"{verb} is not allowed on {path}: this world is read-only"
    )


def general(code: int) -> Refusal:
    """A failure that concerns no one object: an expired token, an overloaded server."""
    reason, message = {
        401: ("Unauthorized", "Unauthorized"),
        403: ("Forbidden", f'forbidden: User "{USER}" cannot access the API'),
        429: ("TooManyRequests", "Too many requests, please try again later."),
    }.get(code, ("InternalError", "Internal error occurred: etcdserver: request timed out"))
    return Refusal(code, reason, message)
