"""Alerts, rules and silences of a site, as they are kept."""
