"""Read the queries of report and dashboard: files of ``sql/``, whose shared and optional parts are Jinja's."""

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from resources.config.project import SHIPPED


@cache
def _templates(folder: str) -> Environment:
    return Environment(loader=FileSystemLoader(SHIPPED / "sql" / folder), undefined=StrictUndefined)


def sql_of(folder: str, name: str, **values: Any) -> str:
    """Return the query of ``sql/<folder>/<name>.sql``; ``values`` are those of the template, and become SQL as is."""
    return _templates(folder).get_template(f"{name}.sql").render(values)


def queries_of(folder: str) -> dict[str, str]:
    """Return the queries of a folder by name; files whose name begins with an underscore are parts of others."""
    names = [file.removesuffix(".sql") for file in _templates(folder).list_templates(["sql"])]
    return {name: sql_of(folder, name) for name in names if not name.startswith("_")}
