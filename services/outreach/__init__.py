"""Reach out to people: plan, approve and send campaigns, tags and comment replies once, and reply to messages."""
