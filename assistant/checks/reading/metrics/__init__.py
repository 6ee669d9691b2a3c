"""What metrics say: whose a series is, who is ill, and where it begins."""
