"""Receive webhooks: an ASGI application that stores the platform's events, and the worker that replies to people."""
