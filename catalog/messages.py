"""Define the messages (私信) that can be sent: their types, their scenes, and the platform's limits.

Source: contract/GUIDE.md section 9. Limits marked there as second-hand are enforced, too: a refused message is worse
than one that was not sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class MessageType:
    """One ``msg_type``.

    ``member`` is the member with its content; ``required`` and ``optional`` are that member's own members. Those in
    ``numbers`` are whole numbers, all others texts.
    """

    number: int
    name: str
    member: str
    required: tuple[str, ...]
    en: str
    zh: str
    optional: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    scope: str | None = None
    """Capability that the app needs in addition to the one for sending."""


_TYPES = (
    MessageType(1, "text", "text", ("text",), "text", "文本"),
    MessageType(2, "image", "image", ("media_id",), "image", "图片", scope="tool.image.upload"),
    MessageType(3, "video", "video", ("item_id",), "own public video", "视频", scope="video.list.bind"),
    MessageType(8, "lead_card", "retain_consult_card", ("card_id",), "lead card", "留资卡片", scope="im.message_card"),
    MessageType(9, "group_invitation", "group_invitation", ("group_id", "group_token"), "group invitation", "群邀请"),
    MessageType(
        10, "mini_app_card", "applet_card", ("card_template_id",), "mini-app card", "小程序卡片",
        optional=("path", "query", "app_id", "schema"), scope="im.microapp_card",
    ),
    MessageType(11, "coupon", "applet_coupon", ("activity_id", "coupon_meta_id"), "mini-app coupon", "小程序券", numbers=("activity_id", "coupon_meta_id")),
    MessageType(12, "authorization_card", "auth_private_message_card", (), "authorization card", "主动私信授权卡片", optional=("app_id",)),
)  # fmt: skip
MESSAGE_TYPES: dict[str, MessageType] = {t.name: t for t in _TYPES}
MESSAGE_NUMBERS: dict[int, MessageType] = {t.number: t for t in _TYPES}
MOST_MESSAGES = 8
"""Messages in one ``content_list``."""
LONGEST_TEXT = 1000
"""Characters of a text. The platform does not publish its own bound; longer messages are not read to the end anyway."""


class Scene(StrEnum):
    """The permission under which a message is sent."""

    REPLY = "im_reply_msg"
    ENTER = "im_enter_direct_msg"
    CONSENT = "im_authorize_message"
    BUSINESS = "im_b2b_direct_message"
    GROUP = "group"  # im_send_msg_group
    ENTERPRISE = "enterprise"  # the older enterprise_im_message_send


@dataclass(frozen=True, slots=True)
class SceneRule:
    """Limits of one scene.

    ``length`` is that of the window after the event that opened it, ``messages`` the most messages in it.
    ``calls_per_day`` bounds the calls for one person and Beijing day, ``per_call`` the messages of one call. ``needs``
    names a type that every call must contain.
    """

    scene: Scene
    en: str
    zh: str
    length: timedelta | None = None
    messages: int | None = None
    calls_per_day: int | None = None
    per_call: int = MOST_MESSAGES
    needs: str | None = None


SCENES: dict[Scene, SceneRule] = {
    r.scene: r
    for r in (
        SceneRule(Scene.REPLY, "answer to a message", "回复私信", length=timedelta(hours=24), messages=6, per_call=6),
        SceneRule(
            Scene.ENTER,
            "answer to an opened chat",
            "进入会话回复",
            length=timedelta(seconds=30),
            messages=3,
            per_call=3,
        ),
        SceneRule(
            Scene.CONSENT, "proactive, with consent", "主动私信", calls_per_day=1, per_call=3, needs="mini_app_card"
        ),
        SceneRule(Scene.BUSINESS, "business to business", "企业间私信"),
        SceneRule(Scene.GROUP, "to a group", "群消息", per_call=1),
        SceneRule(Scene.ENTERPRISE, "enterprise account, older operation", "企业号发送消息（旧）", per_call=1),
    )
}
ANSWERED_BY: dict[str, Scene] = {"im_receive_msg": Scene.REPLY, "im_enter_direct_msg": Scene.ENTER}
"""Events that open a window, and the scene of the reply. An ``im_send_msg`` event opens none."""

TAGS_PER_ACCOUNT, TAGS_PER_PERSON = 100, 5


class BadMessage(ValueError):
    """A message that the platform would refuse; the text says what to change."""


def content_of(message: dict[str, object]) -> dict[str, Any]:
    """Convert a message written as ``{"type": "text", "text": "…"}`` to the platform's form.

    Raises:
        BadMessage: the type is unknown, or a member is missing, unknown or of the wrong type.
    """
    given = dict(message)
    name = given.pop("type", None)
    kind = MESSAGE_TYPES.get(str(name))
    if kind is None:
        raise BadMessage(f"type {name!r} is none of {', '.join(MESSAGE_TYPES)}")
    if missing := [m for m in kind.required if given.get(m) in (None, "")]:
        raise BadMessage(f"a message of type {kind.name} needs {', '.join(missing)}")
    if unknown := sorted(set(given) - {*kind.required, *kind.optional}):
        raise BadMessage(
            f"a message of type {kind.name} has no member {', '.join(unknown)}; it has {', '.join((*kind.required, *kind.optional)) or 'none'}"
        )
    for member, value in given.items():
        if member in kind.numbers:
            if not isinstance(value, int) or isinstance(value, bool):
                raise BadMessage(f"{member} of a message of type {kind.name} is a whole number, not {value!r}")
        elif not isinstance(value, str):
            raise BadMessage(f"{member} of a message of type {kind.name} is a text, not {value!r}")
    if kind.name == "text" and len(str(given["text"])) > LONGEST_TEXT:
        raise BadMessage(f"the text has {len(str(given['text']))} characters; {LONGEST_TEXT} is the most")
    inner: dict[str, object] = given
    if kind.name == "authorization_card":
        inner = {"app_info": {"app_id": given["app_id"]}} if "app_id" in given else {}
    return {"msg_type": kind.number, kind.member: inner}


def check_scene(scene: Scene, contents: list[dict[str, object]]) -> None:
    """Check that these messages may go through the scene in one call.

    Raises:
        BadMessage: there are too many messages, one of them is not allowed in the scene, or a required type is missing.
    """
    rule = SCENES[scene]
    if not contents:
        raise BadMessage("there is no message to send")
    if len(contents) > rule.per_call:
        raise BadMessage(f"{len(contents)} messages in one call; {scene} takes {rule.per_call} at most")
    if rule.needs and not any(c["msg_type"] == MESSAGE_TYPES[rule.needs].number for c in contents):
        raise BadMessage(f"{scene} must contain a message of type {rule.needs}")
    if scene is Scene.ENTERPRISE and any(c["msg_type"] not in (1, 2) for c in contents):
        raise BadMessage("the older operation of enterprise accounts is known to take texts and images only")
