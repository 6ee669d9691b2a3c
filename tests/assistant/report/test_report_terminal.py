from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from assistant.report.terminal import plain, terminal
from tests.assistant.report.samples import CAUSE_FOUND, HOSTILE, SAMPLES


def printed(report, width=100) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, color_system="truecolor", force_terminal=True)
    console.print(terminal(report))
    return out.getvalue()


@pytest.mark.parametrize("name", ["cause_found", "recovered"])
def test_plain_text_reads_as_it_was_reviewed(name, matches_snapshot) -> None:
    matches_snapshot(f"{name}.txt", plain(SAMPLES[name]))


@pytest.mark.parametrize("report", SAMPLES.values(), ids=SAMPLES)
def test_plain_text_holds_no_control_character_and_no_frame(report) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e╭│╰]", plain(report))


@pytest.mark.parametrize("report", SAMPLES.values(), ids=SAMPLES)
def test_plain_text_keeps_within_eighty_columns_but_for_commands(report) -> None:
    wide = [line for line in plain(report).splitlines() if cell_len(line) > 80]
    assert all(re.match(r" {3}- (run|undo|check): | {5}\S", line) for line in wide)


def test_a_long_command_stays_on_one_line_so_that_it_can_be_copied() -> None:
    assert f"run: {CAUSE_FOUND.actions[1].command}\n" in plain(CAUSE_FOUND)


def test_the_onset_is_marked_under_the_sparkline() -> None:
    lines = plain(CAUSE_FOUND).splitlines()
    at = next(i for i, line in enumerate(lines) if "▲ onset 02:43" in line)
    mark = lines[at].index("▲")
    assert lines[at - 1][mark - 3] == "▁"
    assert lines[at - 1][mark] in "▆▇█"


def test_plain_text_does_not_depend_on_the_environment(monkeypatch) -> None:
    before = plain(CAUSE_FOUND)
    for name, value in {"COLUMNS": "40", "FORCE_COLOR": "1", "TERM": "dumb", "LINES": "3"}.items():
        monkeypatch.setenv(name, value)
    assert plain(CAUSE_FOUND) == before


@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_rich_report_fits_any_width(width) -> None:
    text = re.sub(r"\x1b\[[0-9;]*m", "", printed(CAUSE_FOUND, width))
    assert max(map(cell_len, text.splitlines())) <= width
    assert "What we could not see" in text


def test_text_from_tools_cannot_write_escape_sequences_or_markup() -> None:
    marked = HOSTILE.model_copy(update={"summary": "[bold red]x[/] \x1b]8;;http://evil\x07 :boom:"})
    text = printed(marked)
    assert "\x1b]8" not in text
    assert "[bold red]x[/]" in text
    assert ":boom:" in text
