"""Ways to tell people: e-mail, signed webhooks, and what Apprise knows."""
