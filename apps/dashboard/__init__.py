"""Serve the dashboard: a marimo app over the published warehouse, read-only."""
