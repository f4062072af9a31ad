"""What may stand in an alert: everything is cleaned before it is stored, and so before it leaves."""

from __future__ import annotations

import re
from dataclasses import replace

from catalog.alert_kinds import AlertCondition
from resources.config.redaction import redact

_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")
_LONGEST = 400


def scrub(text: str, longest: int = _LONGEST) -> str:
    """One line of text that may leave: without tokens, registered secrets and mobile numbers."""
    clean = _PHONE.sub("[phone]", redact(" ".join(text.split())))
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def scrubbed(found: AlertCondition) -> AlertCondition:
    """The same with texts that may leave and be stored."""
    return replace(found, title=scrub(found.title, 120), zh=scrub(found.zh), en=scrub(found.en), todo=scrub(found.todo))
