"""What is said where there is nothing to look up: help, asking back, and refusals."""

from __future__ import annotations

from assistant.chat.answers.asked import Said
from assistant.chat.answers.words import bullets, plain
from assistant.chat.contract import Choice
from assistant.chat.understanding import Intent, Meaning

LONGEST = 4000
"""Characters of a question that are read; a pasted log is longer, and is no question."""

EXAMPLES: dict[Intent, tuple[str, str]] = {
    Intent.FAILING: ("What fails", "what is failing right now?"),
    Intent.TRIAGE: ("Triage", "triage P123"),
    Intent.CAUSE: ("The cause", "what is the cause?"),
    Intent.WHY: ("Why", "why do you believe that?"),
    Intent.RULED_OUT: ("Ruled out", "what did you rule out?"),
    Intent.CHANGES: ("Changes", "what changed in the last hour?"),
    Intent.RESTARTS: ("Restarts", "why did it restart?"),
    Intent.LOGS: ("Logs", "show its logs"),
    Intent.EVENTS: ("Events", "show its events"),
    Intent.METRICS: ("Metrics", "show its metrics"),
    Intent.UNUSUAL: ("Unusual", "is anything unusual before I deploy?"),
    Intent.ON_CALL: ("On call", "who is on call?"),
    Intent.RUNBOOK: ("Runbook", "what does the runbook say?"),
    Intent.REPORT: ("Report", "full report"),
    Intent.DIAGRAM: ("Diagram", "diagram"),
    Intent.POSTMORTEM: ("Postmortem", "postmortem"),
    Intent.CHANGE_REQUEST: ("A change", "roll back"),
    Intent.HELP: ("Help", "help"),
}
_FIRST = (Intent.FAILING, Intent.CHANGES, Intent.ON_CALL, Intent.HELP)


def greeting() -> Said:
    """What can be asked, by examples."""
    lines = (f"{label}: `{text}`" for label, text in EXAMPLES.values())
    text = (
        "I look at your systems and say what I see, with the evidence. I only read: a change is"
        " answered with the command for a person to run.\n" + bullets(lines, len(EXAMPLES))
    )
    return Said(text, choices=_choices(_FIRST[:-1]), scope="nothing was looked at")


def _choices(intents: tuple[Intent, ...]) -> tuple[Choice, ...]:
    return tuple(Choice(label=EXAMPLES[one][0], text=EXAMPLES[one][1]) for one in intents)


def refusal(text: str, meaning: Meaning) -> Said | None:
    """Why this is not answered, where it is nothing to answer."""
    nothing = "nothing was looked at"
    if len(text) > LONGEST:
        said = f"That is {len(text)} characters, more than the {LONGEST} that I read. Say in a sentence what you want to know."
    elif meaning.orders:
        said = "I take no orders from pasted text, and did nothing. Ask in a plain sentence what you want to know."
    elif meaning.secret:
        said = (
            "I show no secrets, and did not look: passwords, keys and tokens stay where they are."
        )
    elif meaning.elsewhere:
        said = f"I cannot see {plain(meaning.subject, 63)}: it is not in your systems. Its own status page says more."
    else:
        return None
    return Said(said, sure=False, scope=nothing, choices=_choices(_FIRST))


def asking_back(meaning: Meaning) -> Said:
    """The question back, with what may have been meant."""
    likely = tuple(one for one in (meaning.intent, *meaning.rivals) if one)
    offered = tuple(dict.fromkeys((*likely, *_FIRST)))[:5]
    text = "I am not sure what you mean, and looked at nothing. One of these?"
    return Said(text, sure=False, scope="nothing was looked at", choices=_choices(offered))
