"""The nightly job: sources -> sections -> vectors -> Chroma; and the search over it. Knows nobody else."""
