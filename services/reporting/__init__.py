"""The daily report: one self-contained page made of the published marts."""
