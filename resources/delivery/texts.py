"""Remove secrets and personal data from the texts of alerts, before they are stored and sent."""

from __future__ import annotations

import re
from dataclasses import replace

from catalog.alert_kinds import AlertCondition
from resources.config.redaction import redact

_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")
_LONGEST = 400


def scrub(text: str, longest: int = _LONGEST) -> str:
    """Return ``text`` as one line of at most ``longest`` characters, without secrets, tokens and mobile numbers."""
    clean = _PHONE.sub("[phone]", redact(" ".join(text.split())))
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def scrubbed(found: AlertCondition) -> AlertCondition:
    """Return the condition with all its texts scrubbed."""
    return replace(found, title=scrub(found.title, 120), zh=scrub(found.zh), en=scrub(found.en), todo=scrub(found.todo))
