"""Mask personal data: enough stays visible to distinguish people, not enough to identify them."""

from __future__ import annotations

from typing import Any

from catalog.messages import MESSAGE_NUMBERS


def mask_id(open_id: str) -> str:
    """Keep only both ends of an id."""
    return f"{open_id[:4]}…{open_id[-4:]}" if len(open_id) > 10 else open_id


def outline(request: dict[str, Any]) -> str:
    """Describe what a request would send without its content: message types, and lengths of texts."""
    contents = request.get("content_list") or [request.get("content")]
    return " + ".join(_outline(content) for content in contents)


def _outline(content: Any) -> str:
    if isinstance(content, str):
        return f"text ({len(content)} characters)"
    if not isinstance(content, dict):
        return "nothing"
    kind = MESSAGE_NUMBERS[content["msg_type"]]
    return f"text ({len(content['text']['text'])} characters)" if kind.name == "text" else kind.name
