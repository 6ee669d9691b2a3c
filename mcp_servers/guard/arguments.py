"""Arguments: known, valid, and (where they are names) unable to become a flag or a path.

Refusals are in our own words: a validation library's text repeats the caller's values.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from mcp_servers.answer import Status, ToolFailure
from mcp_servers.guard.call import Call, Target

_SHOWN_LENGTH = 60
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CLIMBING = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|$)")


def check(call: Call) -> dict[str, Any]:
    """The arguments as the tool's own types; raises `ToolFailure` for what may not go in."""
    call.decision = "refuse"
    call.rule = "arguments"
    _refuse_unknown(call.target, call.arguments)
    for name, value in call.arguments.items():
        _refuse_unsafe(call.target, name, value)
    try:
        valid = call.target.validate(call.arguments)
    except ValidationError as error:
        raise _refusal(call.target, _faults(error)) from None
    call.decision, call.rule = "none", ""
    return valid


def _refuse_unknown(target: Target, arguments: dict[str, Any]) -> None:
    unknown = sorted(set(arguments) - target.parameters)
    if not unknown:
        return
    known = ", ".join(sorted(target.parameters)) or "no arguments"
    near = get_close_matches(unknown[0], target.parameters, n=1)
    suggestions = (f"Did you mean {near[0]!r}?",) if near else ()
    names = ", ".join(repr(name[:_SHOWN_LENGTH]) for name in unknown[:5])
    raise _refusal(target, f"unknown argument {names}; it takes {known}", suggestions)


def _refuse_unsafe(target: Target, name: str, value: Any) -> None:
    """A name goes on into paths, selectors and command lines; free text only into a query."""
    for text in _strings(value):
        if name in target.free_text:
            fault = "holds a control character" if _CONTROL_IN_TEXT.search(text) else ""
        else:
            fault = _name_fault(text)
        if fault:
            raise _refusal(target, f"argument {name!r} {fault}")


def _name_fault(text: str) -> str:
    if text.startswith("-"):
        return "begins with '-', which a name never does"
    if _CONTROL.search(text):
        return "holds a control character"
    if _CLIMBING.search(text):
        return "holds '..' as a path segment"
    return ""


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return []


def _faults(error: ValidationError) -> str:
    """What is wrong with which argument, without the value that was sent."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(
        f"argument {'.'.join(str(part) for part in fault['loc'])!r}: {fault['msg']}"
        for fault in found[:5]
    )


def _refusal(target: Target, fault: str, suggestions: tuple[str, ...] = ()) -> ToolFailure:
    return ToolFailure(Status.ERROR, f"{target.name} was not called: {fault}.", suggestions)
