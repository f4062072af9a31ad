"""The contract as tests read it: operations with their parameters, and schemas without references."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

import catalog

FOLDER = Path(catalog.__file__).parent / "contract"
SAMPLES = FOLDER / "samples"


@cache
def contract() -> dict[str, Any]:
    return yaml.load((FOLDER / "openapi.yaml").read_bytes(), Loader=yaml.CSafeLoader)


@cache
def operations() -> dict[str, dict[str, Any]]:
    """operationId -> operation, with its ``method`` and ``path``."""
    return {
        o["operationId"]: {**o, "method": method.upper(), "path": path}
        for path, item in contract()["paths"].items()
        for method, o in item.items()
        if "operationId" in o
    }


def resolve(node: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Follow the reference of a schema or parameter; return it with its referenced name."""
    name = None
    while "$ref" in node:
        kind, name = node["$ref"].split("/")[-2:]
        node = {**contract()["components"][kind][name], **{k: v for k, v in node.items() if k != "$ref"}}
    return node, name


def parameters(operation: str) -> dict[str, dict[str, Any]]:
    return {p["name"]: p for p, _ in map(resolve, operations()[operation].get("parameters", []))}


def contract_name(endpoint: Any) -> str:
    """The contract's operation of a record; twins have none of their own (GUIDE section 2)."""
    return endpoint.twin_of or endpoint.name


def body_members(operation: str) -> dict[str, dict[str, Any]]:
    """Return first-level members of the request's body: name -> resolved schema with ``required``.

    The result is empty if there is no body.
    """
    found: dict[str, dict[str, Any]] = {}
    for content in operations()[operation].get("requestBody", {}).get("content", {}).values():
        schema, _ = resolve(content["schema"])
        for name, node in schema.get("properties", {}).items():
            found[name] = {"schema": resolve(node)[0], "required": name in schema.get("required", ())}
    return found


@cache
def webhook_members() -> frozenset[str]:
    """Members of webhook envelopes, and of their contents as ``content|…``."""
    found: set[str] = set()
    for item in contract()["webhooks"].values():
        schema, name = resolve(item["post"]["requestBody"]["content"]["application/json"]["schema"])
        found |= set(schema.get("properties", {}))
        if (content := contract()["components"]["schemas"].get(f"{name}Content")) is not None:
            found |= {f"content|{member}" for member in resolve(content)[0].get("properties", {})}
    return frozenset(found)


def kind_of(node: dict[str, Any]) -> str:
    """Name a leaf's type: a named scalar of the contract, ``date``, a JSON type, or ``any``."""
    schema, name = resolve(node)
    if name is not None and schema.get("type") != "object":
        return name
    if schema.get("format") == "date":
        return "date"
    types = schema.get("type", "any")
    return types if isinstance(types, str) else "/".join(types)


def members(schema: dict[str, Any], path: str = "") -> dict[str, dict[str, Any]]:
    """Every member under a schema by its path: ``data.list[].title``. Objects and lists stand there themselves, too.

    Each value is the member's schema, resolved, with ``kind`` (see :func:`kind_of`), ``needed`` (whether the
    object around it requires it) and ``nullable``.
    """
    schema, _ = resolve(schema)
    found: dict[str, dict[str, Any]] = {}
    for name, node in schema.get("properties", {}).items():
        options = [o for o in node.get("anyOf", [node]) if o != {"type": "null"}]
        assert len(options) == 1, f"{path}{name}: the tests know only `X or null`"
        inner, _ = resolve(options[0])
        types = inner.get("type", "any")
        types = [types] if isinstance(types, str) else types
        here = f"{path}{name}"
        found[here] = {
            **inner,
            **{k: v for k, v in node.items() if k in ("description", "x-unit", "x-pii")},
            "kind": kind_of(options[0]),
            "needed": name in schema.get("required", ()),
            "nullable": len(options) < len(node.get("anyOf", [node])) or "null" in types,
            "json": next(t for t in types if t != "null"),
        }
        if "array" in types:
            found |= members(inner["items"], f"{here}[].")
        elif "object" in types:
            found |= members(inner, f"{here}.")
    return found


@cache
def success_members(operation: str) -> dict[str, dict[str, Any]]:
    """Return all members of an operation's successful response, by path."""
    return members({"$ref": "#/components/schemas/" + operations()[operation]["x-success-schema"]})


def inside(rows: str, single: bool) -> str:
    """The path of a row's members, given where the rows stand."""
    return f"{rows}." if single else f"{rows}[]."
