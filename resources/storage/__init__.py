"""The archive and the lake: atomic, checksummed files."""
