"""What is in the warehouse: core tables made from the catalogue, their checks, and the published file."""
