"""What assets talk to: the platform's client, the archive, the lake, the warehouse and the state."""
