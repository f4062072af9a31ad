"""Run the assets: jobs, schedules, sensors, and runs in the process of a command."""
