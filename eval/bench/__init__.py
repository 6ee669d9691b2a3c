"""The benches: how fast, and what is left after a kill. Figures are told as they are, never asserted."""
