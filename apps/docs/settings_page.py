"""Generate the page of settings from ``Settings``."""

from __future__ import annotations

from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from apps.docs import settings_words as words
from apps.docs.markdown import GENERATED, code, codes, grid
from resources.config.settings import PREFIX, Settings


def _type(field: FieldInfo, language: int) -> str:
    """Describe the type and the range of a setting, such as ``integer > 0, ≤ 10000``."""
    kind: Any = field.annotation
    if isinstance(kind, UnionType):
        (kind,) = (part for part in get_args(kind) if part is not NoneType)
    kind = get_origin(kind) or kind
    if issubclass(kind, StrEnum):
        return codes(kind)
    name = words.TYPES[kind.__name__][language]
    bounds = [
        f"{sign} {getattr(bound, limit)}"
        for bound in field.metadata
        for limit, sign in (("gt", ">"), ("ge", "≥"), ("le", "≤"))
        if hasattr(bound, limit)
    ]
    return f"{name} {', '.join(bounds)}".rstrip()


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    return "–" if value is None else code(f"{value:g}" if isinstance(value, float) else str(value))


def settings_page(language: int) -> str:
    """Generate the page of settings; 0 is English, 1 is Chinese."""
    rows = (
        (
            code(f"{PREFIX}{name.upper()}"),
            _type(field, language),
            _default(field),
            (field.description, words.ZH[name])[language],
        )
        for name, field in Settings.model_fields.items()
    )
    lines = [GENERATED, "", f"# {words.TITLE[language]}", "", words.LINKS[language], "", words.INTRO[language], ""]
    return "\n".join([*lines, *grid(words.HEAD[language], rows)]).rstrip() + "\n"
