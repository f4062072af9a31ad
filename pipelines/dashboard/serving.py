"""The dashboard as an ASGI app, with everything imported that the first visitor would wait for."""

from __future__ import annotations

from pathlib import Path

APP = Path(__file__).with_name("app.py")


def make_app():
    """marimo's app in run mode: no editor, no code, one session per visitor."""
    import marimo

    from pipelines.dashboard import charts, data  # noqa: F401

    return marimo.create_asgi_app(quiet=True, include_code=False, skew_protection=False).with_app(path="", root=str(APP)).build()
