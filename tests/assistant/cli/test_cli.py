"""Exit codes, one-line errors, and what the commands print."""

import json
import re

import pytest
from typer.main import get_command

from assistant.cli.app import app
from assistant.report.schema import from_json

FORMS = {
    "report.md",
    "report.html",
    "report.json",
    "cause_chain.mmd",
    "timeline.mmd",
    "topology.mmd",
}


def words_of(done):
    """What was said on standard error, progress left out."""
    return [line for line in done.stderr.splitlines() if not line.startswith("·")]


def paths(command, name=()):
    """Every command and group, by the words that name it."""
    yield name
    for word, inner in getattr(command, "commands", {}).items():
        yield from paths(inner, (*name, word))


@pytest.mark.parametrize("path", list(paths(get_command(app))), ids=" ".join)
def test_every_command_explains_itself(path, capsys):
    with pytest.raises(SystemExit) as ended:
        get_command(app).main([*path, "--help"], prog_name="assistant")
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "Usage: assistant" in shown
    assert len(shown.splitlines()) > 4


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["triage", "Q404", "--lab", "cedar"], "Q404"),
        (["triage", "--lab", "cedra"], "cedar"),
        (["triage", "--lab", "cedar", "--as-of", "2026-03-14T02:26:00Z"], "--as-of"),
        (["triage", "Q1", "--as-of", "yesterday"], "'yesterday'"),
        (["triage"], "no alert id"),
        (["triage", "--lab", "cedar", "--resume"], "leave out --resume"),
        (["show", "t404"], "t404"),
        (["replay", "t404"], "t404"),
        (["lab", "up", "cedra"], "cedar"),
        (["ask", "kubernetes.list_pods", "shop"], "'shop' is no argument"),
        (["ask", "kubernetes.list_pods", "limit:=x"], "'x' is not JSON"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_expected_failure_is_one_line_and_exit_code_1(shell, arguments, says):
    done = shell.run(*arguments)
    said = words_of(done)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert len(said) == 1
    assert said[0].startswith("assistant: ")
    assert says in said[0]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ASSISTANT_BUDGET_CALS", "3", "did you mean ASSISTANT_BUDGET_CALLS"),
        ("ASSISTANT_BUDGET_SECONDS", "soon", "budget.seconds"),
        ("ASSISTANT_CONFIG", "/nowhere/assistant.toml", "/nowhere/assistant.toml"),
    ],
)
def test_broken_settings_are_named_in_one_line(shell, name, value, says):
    done = type(shell)({**shell.environment, name: value}, shell.folder).run("config")
    assert done.returncode == 1
    assert len(words_of(done)) == 1
    assert says in done.stderr


def test_a_settings_file_that_is_no_toml_is_named_with_its_place(shell):
    (shell.folder / "assistant.toml").write_text("lookback_seconds = = 5\n", encoding="utf-8")
    done = shell.run("config")
    assert (done.returncode, len(words_of(done))) == (1, 1)
    assert "assistant.toml" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["triage", "--no-such-flag"], ["nonsense"], ["show"], ["incidents", "--limit", "0"]],
)
def test_wrong_usage_is_exit_code_2(shell, arguments):
    done = shell.run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_triage_without_a_runbook_index_is_made_and_says_so_with_exit_code_3(shell):
    blind = {key: value for key, value in shell.environment.items() if key != "RUNBOOKS_INDEX"}
    done = type(shell)(blind, shell.folder).run("triage", "--lab", "fjord", "--plain")
    assert done.returncode == 3, done.stderr
    assert "recovered" in done.stdout.lower()
    assert "runbook" in done.stdout


def test_standard_output_is_the_report_and_nothing_else(used):
    report = from_json((used.folder / "stdout.json").read_text(encoding="utf-8"))
    assert str(report.hypotheses[0].entity) == "Secret dispatch/tariffs-db"


def test_progress_is_told_on_standard_error(used):
    said = (used.folder / "stderr.txt").read_text(encoding="utf-8").splitlines()
    assert said[0] == "· reading the alert"
    assert "· writing the report" in said
    assert said[-1].startswith("· written to ")


def test_files_are_written_where_they_were_asked_for(used):
    assert "<html" in (used.folder / "page.html").read_text(encoding="utf-8")
    written = {path.name: path for path in (used.folder / "forms").iterdir()}
    assert set(written) >= FORMS
    assert all(path.stat().st_size for path in written.values())
    printed = json.loads((used.folder / "stdout.json").read_text(encoding="utf-8"))
    assert json.loads(written["report.json"].read_text(encoding="utf-8")) == printed


def test_a_file_that_cannot_be_written_is_one_line(used):
    id = the_incident(used)
    done = used.run("show", id, "--lab", "--html", "/nowhere/page.html")
    assert done.returncode == 1
    assert words_of(done)[-1].startswith("assistant: the report cannot be written")


def the_incident(used):
    report = from_json((used.folder / "stdout.json").read_text(encoding="utf-8"))
    return report.id


def test_incidents_lists_what_was_triaged(used):
    done = used.run("incidents", "--lab")
    assert done.returncode == 0
    assert the_incident(used) in done.stdout
    assert "cause found" in done.stdout
    assert "No incident" in used.run("incidents").stdout, "the lab's are kept apart"


def test_show_gives_the_stored_report_back_by_the_beginning_of_its_id(used):
    done = used.run("show", the_incident(used)[:6], "--lab", "--json")
    assert done.returncode == 0
    assert done.stdout == (used.folder / "stdout.json").read_text(encoding="utf-8")
    plain = used.run("show", the_incident(used), "--lab", "--plain").stdout
    assert "tariffs-db" in plain
    assert not re.search(r"\x1b\[", plain)


def test_replay_comes_to_the_same_verdict_from_the_evidence_alone(used):
    done = used.run("replay", the_incident(used), "--lab", "--json")
    assert done.returncode == 0, done.stderr
    stored = from_json((used.folder / "stdout.json").read_text(encoding="utf-8"))
    again = from_json(done.stdout)
    assert again.verdict is stored.verdict
    assert again.hypotheses == stored.hypotheses
    assert again.rivals == stored.rivals
    assert again.actions == stored.actions
    assert again.runbooks == stored.runbooks
    assert again.cost.calls == 0


def test_the_audit_is_verified_and_a_changed_line_is_named(used, tmp_path):
    audit = used.lab_home / "audit.jsonl"
    assert used.run("audit", "verify", "--file", str(audit)).returncode == 0
    lines = audit.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[4] = lines[4].replace('"status":"ok"', '"status":"error"', 1)
    changed = tmp_path / "audit.jsonl"
    changed.write_text("".join(lines), encoding="utf-8")
    done = used.run("audit", "verify", "--file", str(changed))
    assert done.returncode == 1
    assert "5" in done.stdout + done.stderr


def test_the_audit_of_one_incident_is_shown(used):
    audit = str(used.lab_home / "audit.jsonl")
    done = used.run(
        "audit", "show", "--file", audit, "--incident", the_incident(used), "--limit", "3"
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 3
    assert {row["incident"] for row in rows} == {the_incident(used)}


def test_the_settings_are_shown_with_their_origin(shell):
    done = shell.run("config")
    assert done.returncode == 0
    assert "budget.seconds" in done.stdout
    assert "environment" in done.stdout


def test_the_worlds_are_listed_with_what_the_on_call_was_told(shell):
    done = shell.run("lab", "list")
    assert done.returncode == 0
    assert "cedar" in done.stdout
    assert "quotes page answers 503" in done.stdout


def test_the_version_is_told(shell):
    assert re.search(r"\d+\.\d+\.\d+", shell.run("version").stdout)


def test_a_tool_can_be_asked_one_question(shell):
    done = shell.run("ask", "--lab", "cedar", "prometheus.query", "query=vector(7)")
    answer = json.loads(done.stdout)
    assert done.returncode == 0
    assert answer["status"] == "ok"
    assert answer["data"]["series"][0]["value"] == 7


def test_an_answer_that_could_not_be_had_is_shown_and_exit_code_3(shell):
    done = shell.run("ask", "--lab", "cedar", "kubernetes.list_pods", "limit=x")
    assert done.returncode == 3
    assert json.loads(done.stdout)["status"] == "error"
