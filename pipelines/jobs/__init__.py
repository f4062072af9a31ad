"""Dagster jobs, a module each."""
