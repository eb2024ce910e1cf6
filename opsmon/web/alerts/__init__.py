"""What is wrong, on screens: the panel, the band, the pages of alerts, rules and silences."""
