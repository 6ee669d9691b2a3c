"""From an alert id to a report: intake, scope, gather, check, diagnose, consult, report.

The only room that knows LangGraph. It holds no write tool.
"""

from assistant.triage.desk import Desk
from assistant.triage.workflow import replay, triage

__all__ = ["Desk", "replay", "triage"]
