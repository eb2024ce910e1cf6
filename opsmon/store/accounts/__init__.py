"""What the store keeps of those who may come in: people, their sessions, screens, tokens, and what was done."""
