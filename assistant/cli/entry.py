"""Where the program begins, and the one place that turns failures into exit codes."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time

import typer

from assistant.errors import AssistantError

IDLE_THREADS_SECONDS = 0.2
"""In which threads that have nothing to do are gone by themselves."""


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 expected failure, 2 usage, 3 with blind spots."""
    before = frozenset(threading.enumerate())
    try:
        _commands(sys.argv[1:2])()
    except SystemExit as done:
        _leave(done.code if isinstance(done.code, int) else 0, before)
        raise
    except AssistantError as error:
        sys.stderr.write(f"assistant: {' '.join(str(error).split())}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("assistant: interrupted; `--resume` goes on from here\n")
        sys.exit(130)


def _commands(first: list[str]) -> typer.Typer:
    """All commands; for a look at the runbooks those alone, so that it waits for nothing else to load."""
    if first == ["runbooks"]:
        from assistant.cli import runbooks  # noqa: PLC0415 - see above

        # It is over in a second and leaves nothing to collect; to look costs a tenth of that.
        gc.disable()

        app = typer.Typer(name="assistant", no_args_is_help=True, pretty_exceptions_enable=False)
        app.callback()(lambda: None)
        app.add_typer(runbooks.app, name="runbooks")
        return app
    from assistant.cli.app import app  # noqa: PLC0415 - see above

    return app


def _leave(code: int, before: frozenset[threading.Thread]) -> None:
    """End the process where a thread still waits for a system that was given up.

    All is said and stored by now, and Python would wait for that thread as long as it waits.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    # All goes at once now: the collector need not look for what could go first (0.1 s after Chroma).
    gc.freeze()
    until = time.monotonic() + IDLE_THREADS_SECONDS
    ours = [one for one in threading.enumerate() if one not in before and not one.daemon]
    for one in ours:
        one.join(max(0.0, until - time.monotonic()))
    if any(one.is_alive() for one in ours):
        os._exit(code)
