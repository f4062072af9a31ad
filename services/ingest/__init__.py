"""Fetch from the platform into the archive, and normalise from the archive into the lake."""
