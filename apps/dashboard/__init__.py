"""The dashboard: a marimo app over the published warehouse, read-only."""
