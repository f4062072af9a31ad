"""What is done with the data, without Dagster: ingestion, marts, comments, outreach, reporting, alerts, maintenance."""
