"""The last step of every tool: what is absent becomes an empty answer, and each names its cluster."""

from __future__ import annotations

from functools import wraps
from typing import Any

from mcp_servers.answer import Answer, Status, ToolFailure
from mcp_servers.kubernetes.client import Cluster
from mcp_servers.kubernetes.refusals import Absent
from mcp_servers.spec import ToolFunction


def answering(cluster: Cluster, tool: ToolFunction) -> ToolFunction:
    """The tool, with `source` filled in and Absent answered as `empty`."""

    @wraps(tool)
    async def answered(*args: Any, **arguments: Any) -> Answer[Any]:
        try:
            answer = await tool(*args, **arguments)
        except Absent as absent:
            told = list(absent.suggestions)
            answer = Answer(status=Status.EMPTY, total=0, reason=absent.reason, suggestions=told)
        except ToolFailure as failure:
            failure.source = cluster.name
            raise
        answer.source = cluster.name
        return answer

    return answered
