"""Define the events between a customer and an account."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Happening(StrEnum):
    """The kind of an action: the platform's events, and actions that only the list of actions contains."""

    ENTERED = "im_enter_direct_msg"
    RECEIVED = "im_receive_msg"
    SENT = "im_send_msg"
    GROUP = "im_group_receive_msg"
    FOLLOWED = "new_follow_action"
    LIKED = "new_video_digg"
    FORM = "form"
    CALL = "call"


EVENTS = tuple(h for h in Happening if h not in (Happening.FORM, Happening.CALL))


@dataclass(frozen=True, slots=True)
class CustomerEvent:
    """One event between a customer and the account; ``at_ms`` is epoch milliseconds, ``index`` its place.

    ``left`` is what the customer left with it: ``phone``, ``wechat``, or nothing. ``item_id`` is the video that was
    liked.
    """

    happening: Happening
    at_ms: int
    number: int
    index: int
    message_type: str = ""
    text: str = ""
    left: str = ""
    item_id: str = ""
    by_app: bool = False
    """Whether a message of the account was sent through the API."""

    @property
    def action(self) -> tuple[int, int, str] | None:
        """(action_type, action_flag, action_source) in the list of actions; None if it is no action."""
        if self.happening is Happening.RECEIVED:
            return (1, 1 if self.left == "phone" else 2, "")
        if self.happening is Happening.FORM:
            return (2, 52, "转化页") if self.at_ms % 3 else (2, 53, "商家页")
        if self.happening is Happening.CALL:
            return (3, 101, "")
        return (3, 102, "主页") if self.happening is Happening.FOLLOWED else None
