"""The command line: what is asked for, and the wiring of what answers it.

The environment, the clock and randomness enter the program here and nowhere else. Heavy parts are
imported inside the commands that need them: `--help` answers at once.
"""

from assistant.cli.entry import main

__all__ = ["main"]
