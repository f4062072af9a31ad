"""Provide access to external systems: the platform's client, archive, lake, warehouse, state, and channels."""
