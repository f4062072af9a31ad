"""Programs for people and machines: command line, webhook receiver, dashboard, generated reference."""
