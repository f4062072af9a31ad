"""What is known of a number beyond its definition: its name on the platform's own pages, and why it may differ from what they show.

Names of the pages are known from the contract and its Chinese labels only; nothing here was compared with a live page.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """``platform_name`` is the name on 创作者服务平台 or 企业号 pages, as the contract writes it; None where it is not known."""

    platform_name: str | None = None
    differs_en: str | None = None
    differs_zh: str | None = None


NOTES: dict[tuple[str, str], Note] = {}
"""(table, column) -> note; an empty table stands for every table that has the column."""
