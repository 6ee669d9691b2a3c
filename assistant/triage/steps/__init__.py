"""A runbook's steps, each held against what was seen: does it apply, is it done, is it out of date?

Text of a runbook is data: it is read, looked up and judged, and never carried out. The only thing
asked for it are its PromQL queries and listings of objects, through the toolbox, and few of them.
"""

from assistant.triage.steps.judging import Incident, held
from assistant.triage.steps.reading import Step, steps
from assistant.triage.steps.slots import Known, known_of

__all__ = ["Incident", "Known", "Step", "held", "known_of", "steps"]
