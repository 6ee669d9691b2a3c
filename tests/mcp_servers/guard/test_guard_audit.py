"""The audit file: whole after any number of writers, and every kind of tampering is found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_servers.__main__ import main
from mcp_servers.guard.audit import Audit, AuditError, read, verify

WRITER = """
import sys
from pathlib import Path
from mcp_servers.guard.audit import Audit
for n in range(int(sys.argv[3])):
    Audit(Path(sys.argv[1])).append({"tool": sys.argv[2], "call": n})
"""


def written(path: Path, count: int = 5, key: bytes = b"") -> list[str]:
    for n in range(count):
        Audit(path, key).append({"tool": "list_pods", "incident": f"INC-{n % 2}", "call": n})
    return path.read_text().splitlines()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def test_a_written_file_is_whole_and_private(file: Path) -> None:
    lines = written(file)
    assert verify(file) == []
    assert json.loads(lines[0])["prev"] == "0" * 64
    assert json.loads(lines[3])["prev"] == json.loads(lines[2])["hash"]
    assert file.stat().st_mode & 0o077 == 0


def test_several_processes_append_to_one_chain(file: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(file)]
    writers = [subprocess.Popen([*command, f"writer-{n}", "25"]) for n in range(4)]
    assert [writer.wait(timeout=30) for writer in writers] == [0, 0, 0, 0]
    assert verify(file) == []
    assert [line["n"] for line in read(file)] == list(range(1, 101))
    assert [line["call"] for line in read(file, tool="writer-2")] == list(range(25))


def test_a_changed_line_is_found(file: Path) -> None:
    lines = written(file)
    lines[2] = lines[2].replace("list_pods", "list_cats")
    file.write_text("\n".join(lines) + "\n")
    assert any("Line 3 was changed" in problem for problem in verify(file))


@pytest.mark.parametrize("gone", range(4))
def test_a_removed_line_is_found(gone: int, file: Path) -> None:
    lines = written(file)
    del lines[gone]
    file.write_text("\n".join(lines) + "\n")
    assert any("does not follow" in problem for problem in verify(file))


def test_reordered_lines_are_found(file: Path) -> None:
    lines = written(file)
    lines[1], lines[2] = lines[2], lines[1]
    file.write_text("\n".join(lines) + "\n")
    assert any("does not follow" in problem for problem in verify(file))


@pytest.mark.parametrize("kept", range(5))
def test_a_cut_end_is_found(kept: int, file: Path) -> None:
    lines = written(file)
    file.write_text("".join(f"{line}\n" for line in lines[:kept]))
    assert verify(file) == [f"The end was cut: {5 - kept} of 5 lines are missing."]


def test_a_removed_head_is_found(file: Path) -> None:
    written(file)
    file.with_name("audit.jsonl.head").unlink()
    assert any("missing" in problem for problem in verify(file))


def test_with_a_key_a_chain_that_was_made_again_is_found(file: Path, tmp_path: Path) -> None:
    key = b"the key"
    written(file, key=key)
    assert verify(file, key) == []
    forged = tmp_path / "forged.jsonl"
    written(forged, count=5)
    assert len(verify(forged, key)) == 6
    assert verify(file, b"another")


def test_a_line_cut_short_by_a_crash_is_told_and_the_next_goes_on(file: Path) -> None:
    written(file, count=2)
    with file.open("a") as damaged:
        damaged.write('{"n": 3, "tool": "li')
    Audit(file).append({"tool": "list_pods"})
    assert verify(file) == ["Line 3 is not readable: it was cut short or overwritten."]
    assert [line["n"] for line in read(file)] == [1, 2, 3]


def test_a_crash_between_a_line_and_its_head_is_no_tampering(file: Path) -> None:
    written(file, count=2)
    head = file.with_name("audit.jsonl.head")
    before = head.read_bytes()
    written(file, count=1)
    head.write_bytes(before)
    assert verify(file) == []
    written(file, count=1)
    assert verify(file) == []


def test_lines_are_read_by_incident_and_from_the_newest(file: Path) -> None:
    written(file)
    assert [line["call"] for line in read(file, incident="INC-0")] == [0, 2, 4]
    assert [line["call"] for line in read(file, limit=2)] == [3, 4]


def test_a_line_longer_than_a_block_is_followed_rightly(file: Path) -> None:
    Audit(file).append({"arguments": "x" * 200_000})
    written(file, count=1)
    assert verify(file) == []


def test_a_file_that_cannot_be_made_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AuditError, match="Cannot write the audit file"):
        Audit(tmp_path / "file" / "audit.jsonl").prepare()


def test_the_command_line_verifies_and_shows(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = written(file)
    assert main(["audit", "verify", str(file)]) == 0
    assert "5 lines, all whole" in capsys.readouterr().out
    assert main(["audit", "show", str(file), "--incident", "INC-1"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["call"] for line in shown] == [1, 3]
    file.write_text("".join(f"{line}\n" for line in lines[:3]))
    assert main(["audit", "verify", str(file)]) == 1
    assert "The end was cut: 2 of 5" in capsys.readouterr().out
    assert main(["audit", "show", str(file) + ".nothing"]) == 1
    assert capsys.readouterr().err.startswith("mcp_servers: There is no audit file")
