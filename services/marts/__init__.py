"""Marts: SELECTs of ``sql/marts`` as Dagster assets, computed from the lake and kept in it."""
