"""Settings, clock, and what is read from or written to people: strict YAML, redaction, log filters."""
