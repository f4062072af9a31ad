"""Build marts from the lake: the SELECTs of ``sql/marts``, stored as Parquet datasets of the lake."""
