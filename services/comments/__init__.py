"""Detect what fans want 粉丝需求 in comments, by rules that people edit in ``needs/``.

The rules are heuristics, measured on a set of invented comments.
"""
