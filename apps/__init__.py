"""What people and machines start: the command line, the webhook receiver, the dashboard, the generated reference."""
