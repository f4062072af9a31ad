"""What may be shown of people: enough to tell them apart, not enough to know them."""

from __future__ import annotations

from typing import Any

from catalog.messages import MESSAGE_NUMBERS


def mask_id(open_id: str) -> str:
    """Both ends of an id."""
    return f"{open_id[:4]}…{open_id[-4:]}" if len(open_id) > 10 else open_id


def outline(request: dict[str, Any]) -> str:
    """What a request would send, without a word of it: types, and the length of texts."""
    contents = request.get("content_list") or [request.get("content")]
    return " + ".join(_outline(content) for content in contents)


def _outline(content: Any) -> str:
    if isinstance(content, str):
        return f"text ({len(content)} characters)"
    if not isinstance(content, dict):
        return "nothing"
    kind = MESSAGE_NUMBERS[content["msg_type"]]
    return f"text ({len(content['text']['text'])} characters)" if kind.name == "text" else kind.name
