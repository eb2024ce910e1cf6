"""ASK: vendors' APIs, for what their webhooks did not bring."""
