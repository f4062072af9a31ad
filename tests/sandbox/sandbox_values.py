"""Values that a running sandbox knows, by the name of their parameter.

They are ids, words and tokens from its own responses.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from contract_reading import operations, parameters, resolve
from sandbox_platform import APP, NOW, Platform, code_of

import catalog
from catalog.records import Token
from sandbox.answers import answer_for
from sandbox.oauth import OPERATIONS

OTHERS = "open_id of another person"
_ALSO = {
    "hot_sentence": "sentence",
    "keyword": "sentence",
    "user_id": OTHERS,
    "c_open_id": OTHERS,
}
"""Parameters whose values come under another name."""
_GIVEN = {
    **APP,
    "redirect_uri": "http://127.0.0.1:9/callback",
    "scope": "user_info",
    "state": "s",
    "amap_id": "B0SANDBOX0001",
    "time_type": "day",
}


def request_schema(operation: str) -> dict[str, Any]:
    """The schema of an operation's request body, or an empty one."""
    content = operations()[operation].get("requestBody", {}).get("content", {})
    return resolve(next(iter(content.values()))["schema"])[0] if content else {}


def plain_text(schema: dict[str, Any]) -> bool:
    """Report whether any text fits, so that one may replace another."""
    return resolve(schema)[0].get("type") == "string" and not {"enum", "const", "pattern", "format"} & schema.keys()


def served() -> set[str]:
    """Return the operations of the contract that the sandbox serves."""
    data = (*catalog.ENDPOINTS.values(), *catalog.OTHER_OPERATIONS.values())
    return {*(e.name for e in data if answer_for(e) is not None), *(o.name for o in OPERATIONS)} & operations().keys()


class Values:
    """Values from the sandbox's responses, collected for as long as responses bring new ones."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._pool: dict[str, dict[str, dict[Any, None]]] = defaultdict(lambda: defaultdict(dict))
        """Name -> scope of the responses with the values -> values, each once."""
        self.answered: dict[str, Any] = {}
        """Operation -> its response with code 0."""
        mine, another = platform.tokens(0), platform.tokens(1)
        tokens = {
            "open_id": mine["open_id"],
            "access_token": mine["access_token"],
            "refresh_token": another["refresh_token"],
        }
        for name, value in {**_GIVEN, **tokens}.items():
            self._pool[name][""][value] = None
        self._pool["code"][""] = dict.fromkeys(a["code"] for a in platform.accounts()[2:])
        # The account's own videos come first: values that are also in lists of others are not its own.
        requested = sorted(
            (e for e in catalog.ENDPOINTS.values() if e.name in served()), key=lambda e: e.token is Token.CLIENT
        )
        for attempt in range(10):
            for endpoint in (e for e in requested if e.name not in self.answered):
                self._ask(endpoint.name, attempt)

    def known(self, name: str, operation: str) -> list[Any]:
        """Return values of a parameter, or of the singular of its name.

        Those of the operation's own scope come first, since they belong together.
        """
        if name == "cursor":  # each listing has its own
            return []
        candidates = (_ALSO.get(name, name), name, name.removesuffix("s"))
        found = next((self._pool[c] for c in candidates if c in self._pool), {})
        scope = operations()[operation]["x-scope"]
        return [value for s in sorted(found, key=lambda s: s != scope) for value in found[s]]

    def token(self, operation: str) -> str | None:
        """Return a token for the operation's security scheme; None if it has none."""
        schemes = {name for choice in operations()[operation]["security"] for name in choice}
        if not schemes:
            return None
        return self.platform.tokens(0)["access_token"] if schemes == {"userToken"} else self.platform.client_token()

    def one(self, operation: str, name: str, schema: dict[str, Any], choice: int = 0) -> Any:
        """Return a value that fits a parameter or member, None if none is known.

        Not every known value fits: a video may be private.
        """
        schema, _ = resolve(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        if schema.get("type") == "array":
            inner = self.one(operation, name, schema["items"], choice)
            return None if inner is None else [inner]
        if name in ("begin_time", "end_time") and schema.get("type") == "string":
            return (datetime.fromisoformat(NOW) - timedelta(days=1)).strftime("%Y%m%d")
        known = self.known(name, operation)
        if found := [v for v in known if schema.get("type") != "integer" or str(v).isdigit()]:
            value = found[choice % len(found)]
            return str(value) if schema.get("type") == "string" else value
        if name == "cursor":
            return "0" if schema.get("type") == "string" else 0
        if name in ("count", "limit"):
            return schema.get("maximum", 100)
        if schema.get("type") == "integer":
            day = datetime.fromisoformat(NOW)
            if name in ("start_time", "end_time"):
                return int((day - timedelta(days=3 * (name == "start_time"))).timestamp())
            return schema.get("default", max(schema.get("minimum", 0), 1))
        if schema.get("format") == "date" or name.endswith("_date"):
            return str((datetime.fromisoformat(NOW) - timedelta(days=2)).date())
        return None

    def request(self, operation: str, choice: int = 0) -> dict[str, dict[str, Any]] | None:
        """Return query and body of a complete request, or None where a value is not known yet."""
        schema = request_schema(operation)
        needed = {
            "query": {n: p["schema"] for n, p in parameters(operation).items() if p.get("required")},
            "body": {n: schema["properties"][n] for n in schema.get("required", self._sent(operation))},
        }
        found = {
            place: {n: self.one(operation, n, s, choice) for n, s in wanted.items()} for place, wanted in needed.items()
        }
        return None if any(v is None for values in found.values() for v in values.values()) else found

    def _sent(self, operation: str) -> list[str]:
        """Return optional members of a body that we send: of several lists the contract requires one."""
        endpoint = catalog.ENDPOINTS.get(operation)
        return [p.name for p in endpoint.params if p.place == "body" and p.fill != "left_out"] if endpoint else []

    def _ask(self, operation: str, attempt: int) -> None:
        request = self.request(operation, attempt)
        if request is None:
            return
        o = operations()[operation]
        form = "application/x-www-form-urlencoded" in o.get("requestBody", {}).get("content", {})
        body = {("data" if form else "json"): request["body"]} if request["body"] else {}
        headers = {"access-token": self.token(operation) or ""}
        answer = self.platform.http.request(
            o["method"], o["path"], params=request["query"], headers=headers, **body
        ).json()
        if code_of(answer) == 0:
            self.answered[operation] = answer
            self._gather(answer, o["x-scope"] or "")

    def _gather(self, node: Any, scope: str) -> None:
        if isinstance(node, list):
            for element in node:
                self._gather(element, scope)
        elif isinstance(node, dict):
            if node.get("message_type") in (
                "user_local_image",
                "user_local_video",
            ):  # ids that only together name an object
                for name, source in (("conversation_id", "conversation_short_id"), ("message_id", "server_message_id")):
                    self._pool[name] = {scope: {node[source]: None}}
            for name, value in node.items():
                self._keep(name, value, scope)
                self._gather(value, scope)
                if name == "list" and isinstance(value, list):  # lists of bare texts are lists of people
                    for element in value:
                        self._keep("open_id", element, scope)
                if isinstance(value, str) and value.startswith("{"):
                    self._gather(json.loads(value), scope)

    def _keep(self, name: str, value: Any, scope: str) -> None:
        if name in ("conversation_id", "message_id"):
            return
        mine = isinstance(value, str) and value in self._pool["open_id"][""]
        if name in ("open_id", "from_user_id", "target_open_id"):
            name = "" if mine else OTHERS
        if (
            name
            and isinstance(value, str | int)
            and not isinstance(value, bool)
            and value != ""
            and len(self._pool[name][scope]) < 20
        ):
            self._pool[name][scope][value] = None
