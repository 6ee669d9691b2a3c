"""Talking about incidents: one engine, thin front ends."""
