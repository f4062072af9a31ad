"""Simulate the Douyin Open Platform (抖音开放平台) over real HTTP.

The simulated world is invented and computed from (seed, instant) alone. The same seed and the same instant give the
same response, whatever was requested before. The package imports :mod:`catalog` only.
"""
