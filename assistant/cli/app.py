"""All commands."""

from __future__ import annotations

import typer

from assistant.cli import asking, duty, incidents, knowledge, lab, runbooks, servers, slack, upkeep
from assistant.cli import chat as chatting
from assistant.cli import postmortem as remembering
from assistant.cli import serve as serving
from assistant.cli import triage as triaging

app = typer.Typer(
    name="assistant",
    help="Triage for whoever is paged at 2AM: one alert id in, one cited incident report out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("triage")(triaging.triage)
app.command("chat")(chatting.chat)
app.command("slack")(slack.slack)
app.command("serve")(serving.serve)
app.add_typer(duty.app, name="duty")
app.command("incidents")(incidents.incidents)
app.command("show")(incidents.show)
app.command("replay")(incidents.replay)
app.command("postmortem")(remembering.postmortem)
app.command("confirm")(remembering.confirm)
app.command("tools")(servers.tools)
app.command("ask")(asking.ask)
app.add_typer(servers.app, name="servers")
app.add_typer(lab.app, name="lab")
app.add_typer(upkeep.audit, name="audit")
app.command("doctor")(upkeep.doctor)
app.command("config")(upkeep.config)
app.command("ingest")(knowledge.ingest)
app.add_typer(runbooks.app, name="runbooks")
app.command("version")(upkeep.version)
