"""Runs one command and prints what it took, as JSON. Run as a script, and imports next to nothing.

A process between the bench and what it measures: a child is charged the memory of whoever forked
it, and the bench holds a whole cluster.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time

_LAST_WORDS = 2000


def main(command: list[str]) -> None:
    """Run the command to its end, its report thrown away."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)  # noqa: S603 - the bench's own command
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        words = said.read()[-_LAST_WORDS:].decode(errors="replace")
    took = {
        "exit_code": process.returncode,
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        # Linux counts in kilobytes, macOS in bytes.
        "peak_megabytes": usage.ru_maxrss / (1024 if sys.platform.startswith("linux") else 1 << 20),
        "said": words,
    }
    sys.stdout.write(json.dumps(took))


if __name__ == "__main__":
    main(sys.argv[1:])
