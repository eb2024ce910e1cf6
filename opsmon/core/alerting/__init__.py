"""Alerts, as arithmetic: when a rule holds, what becomes of its alert, who is to be told. Pure: time is an argument."""
