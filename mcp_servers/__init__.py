"""One file per outside system, each a plain list of typed async functions. Knows nothing of `assistant`."""
