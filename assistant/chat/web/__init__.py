"""The chat as a web page: incidents at the left, threads, reports and evidence, over one engine.

It understands nothing itself and keeps only what was said. Only `running` and what it calls import
the server's libraries. Everything that a browser is sent lies in `page`; nothing comes from elsewhere.
"""
