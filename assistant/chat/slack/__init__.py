"""The chat in Slack: mentions, direct messages, commands, shortcuts and buttons, over one engine.

Only `front`, `running` and `wire` import Slack's libraries (the optional extra `slack`).
"""
