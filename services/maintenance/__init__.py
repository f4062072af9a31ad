"""Verify, reconcile and prune what is stored."""
