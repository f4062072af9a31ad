"""Generate the reference pages of docs/."""
