"""Build the daily report, one self-contained page made from the published marts, and export tables."""
