"""Define the Dagster jobs and their schedules."""
