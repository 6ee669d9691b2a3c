"""Installs CPU PyTorch into this environment, and prints the extra that may be installed next.

On Linux plain `pip install torch` brings gigabytes of CUDA; elsewhere every wheel is a CPU build.
Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request

TORCH = "torch==2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
SECONDS = 4.0
CUDA = ("nvidia-", "cuda-")
EXTRA = "[embeddings]"


def main() -> None:
    """Print the extra to install, or nothing where torch could only be had with CUDA."""
    print(EXTRA if not sys.platform.startswith("linux") or installed() else "")


def installed() -> bool:
    """Whether CPU PyTorch is here now."""
    if answers(CPU_INDEX):
        pip("install", "--quiet", TORCH, "--index-url", CPU_INDEX)
        return True
    if burden := cuda_packages():
        say(
            f"{TORCH} from the configured index would bring {len(burden)} CUDA packages, and "
            f"{CPU_INDEX} does not answer: left out. Runbooks are searched by words, not by "
            "meaning. To have it all the same: .venv/bin/pip install -e '.[embeddings]'"
        )
        return False
    pip("install", "--quiet", TORCH)
    return True


def answers(index: str) -> bool:
    """Whether the index is within reach, soon."""
    try:
        with urllib.request.urlopen(f"{index}/torch/", timeout=SECONDS):  # noqa: S310 - https
            return True
    except (urllib.error.URLError, TimeoutError):
        return False


def cuda_packages() -> list[str]:
    """What CUDA the configured index would add to torch; nothing is downloaded for the answer."""
    report = pip("install", "--quiet", "--dry-run", "--report", "-", TORCH)
    names = [item["metadata"]["name"].lower() for item in json.loads(report)["install"]]
    return [name for name in names if name.startswith(CUDA)]


def pip(*arguments: str) -> str:
    """What pip printed; its complaints go to stderr, and its failure ends the set-up."""
    command = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603
    if done.returncode:
        sys.exit(f"install_torch: `{' '.join(command[2:])}` failed")
    return done.stdout


def say(text: str) -> None:
    """One line for the person at the terminal."""
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
