"""Publish the lake and the state as one DuckDB file."""
