"""Locate the files that the product ships: SQL, rules, campaigns, examples."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
