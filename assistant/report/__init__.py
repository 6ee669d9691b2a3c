"""Report -> Markdown, terminal, JSON, HTML, Mermaid, charts.

Pure functions of `assistant.incident.Report`: nothing here reads the clock or the environment,
opens anything but its own packaged template, or adds a claim that the report does not hold.
"""
