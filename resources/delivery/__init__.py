"""Alerts 告警: who is told what, and how it gets there. What there is to tell is found by :mod:`services.alerts`."""
