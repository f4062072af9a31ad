"""What fans want 粉丝需求: comments read by rules that people edit in ``needs/``.

Heuristics, measured on a set of invented comments.
"""
