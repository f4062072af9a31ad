"""Define the Dagster assets: core tables from the catalogue, marts, their checks, warehouse and report."""
