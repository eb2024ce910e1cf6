"""Pages about who is told: the link in a message, receivers and routes."""
