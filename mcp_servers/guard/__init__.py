"""What every tool call passes exactly once, inside the server, where no client can walk around it."""
