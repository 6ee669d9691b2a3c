"""Readers of the formats that runbooks are written in: each gives Markdown. Loaded when needed."""
