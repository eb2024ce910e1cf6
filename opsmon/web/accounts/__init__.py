"""Pages and commands of accounts: signing in, people, screens, tokens, what was done."""
