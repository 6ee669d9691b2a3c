"""What the families read alike: no check stands here, and nothing is convicted."""
