"""What would the platform answer? A simulator of the Douyin Open Platform (抖音开放平台) over real HTTP.

The world behind it is invented, and computed from (seed, instant) alone: the same seed and the
same instant give the same answer, whatever was asked before. It imports :mod:`catalog` only.
"""
