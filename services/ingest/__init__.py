"""From the platform to the lake: fetch into the archive, normalise from the archive."""
