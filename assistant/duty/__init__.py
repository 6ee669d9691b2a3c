"""Alerts that triage themselves: taken in, grouped, queued, triaged once, announced.

It knows no front end and no way to make a triage: both are given to it.
"""
