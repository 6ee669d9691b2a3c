"""Meaning and evidence -> what is said. One file for each family of questions."""
