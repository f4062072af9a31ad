"""Provide settings, the clock, strict YAML files, redaction of secrets, and log filters."""
