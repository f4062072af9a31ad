"""Route and deliver alerts 告警 to channels; :mod:`services.alerts` detects the conditions."""
