"""What can go wrong inside the assistant, as one small tree.

    AssistantError          expected: the command line prints one line and exits 1
      SettingsError         a setting is missing, unknown or contradicts another
      NotFound              no such alert, incident, world or server
      ToolUnavailable       a server cannot be reached (retried twice)
      DefinitionChanged     a server's tools are not the pinned ones
      ModelError            the model's answer could not be used

Across MCP nothing is raised: a tool answers with a status.
"""


class AssistantError(Exception):
    """An expected failure; its text says what failed, with which input, and what to do next."""


class SettingsError(AssistantError):
    """A setting is missing, unknown or contradicts another."""


class NotFound(AssistantError):  # noqa: N818 - it is an answer, in the words of the caller
    """There is no such alert, incident, world or server."""


class ToolUnavailable(AssistantError):  # noqa: N818 - names the state of the other side
    """A server cannot be reached."""


class DefinitionChanged(AssistantError):  # noqa: N818 - names what happened
    """A server's tool definitions are not the pinned ones."""


class ModelError(AssistantError):
    """The model's answer could not be used."""


def first(error: BaseException) -> BaseException:
    """The first real exception inside an exception group, or the exception itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
