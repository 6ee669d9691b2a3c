"""The commands as a user runs them: a talk from a pipe, then the postmortem, then the confirmation."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SECONDS = 100


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def run(home, *arguments, said=""):
    return subprocess.run(
        [sys.executable, "-m", "assistant", *arguments],
        env={**os.environ, "ASSISTANT_HOME": str(home)},
        cwd=ROOT,
        input=said,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def talk(home):
    """What a talk about the incident of a world printed."""
    return run(home, "chat", "--lab", "amber", "--incident", "QH61GVK4YFMN1W", said="postmortem\n")


@pytest.fixture(scope="module")
def incident(talk):
    return re.search(r"assistant confirm (t[0-9a-f]{8})", talk.stdout).group(1)


def test_a_talk_from_a_pipe_shows_steps_answers_and_scope(talk):
    assert talk.returncode == 0, talk.stderr
    assert "· reading the alert" in talk.stdout
    assert "cause found" in talk.stdout
    assert "scope: cluster pw-north-1" in talk.stdout


def test_the_postmortem_of_a_stored_incident_is_markdown(home, incident, tmp_path):
    shown = run(home, "postmortem", incident, "--lab")
    assert shown.stdout.startswith("# Postmortem (draft)")
    written = run(home, "postmortem", incident, "--lab", "--out", str(tmp_path / "draft.md"))
    assert written.returncode == 0
    assert (tmp_path / "draft.md").read_text() == shown.stdout


def test_a_confirmed_incident_is_found_by_the_ingestion(home, incident):
    done = run(home, "confirm", incident, "--lab", "--cause", "the release was never pushed")
    assert done.returncode == 0, done.stderr
    file = home / "lab" / "confirmed" / f"{incident}.md"
    assert "the release was never pushed" in file.read_text()
    taken = run(home, "ingest", str(file.parent), "--embedding", "none")
    assert "1 added" in taken.stdout + taken.stderr


def test_an_unknown_incident_is_one_line_that_says_what_to_do(home):
    done = run(home, "postmortem", "t404", "--lab")
    assert done.returncode == 1
    assert "t404" in done.stderr
    assert len(done.stderr.splitlines()) == 1
