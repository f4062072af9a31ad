"""Measure what the documentation claims."""
