"""The webhook receiver: an ASGI application that stores what the platform pushes, and the worker that answers people."""
