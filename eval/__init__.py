"""The lab, the cases and the measuring. May import everything; nothing imports it."""
