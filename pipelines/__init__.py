"""When things run, and how a person starts them."""
