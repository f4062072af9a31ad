"""Adapt Dagster: all code that relies on its private names."""
