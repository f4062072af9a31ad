"""Store the archive and the lake as atomic, checksummed files."""
