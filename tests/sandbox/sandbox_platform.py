"""A small client for a sandbox over real HTTP on loopback, and the contract as validators."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Any

import httpx
from contract_reading import contract, operations
from jsonschema import Draft202012Validator, FormatChecker

import catalog
from catalog.records import Envelope
from catalog.requests import ParamLocation, ParamSource
from sandbox.server import Handle

NOW = "2026-11-16T10:30:00+08:00"
APP = {"client_key": "sandbox-key", "client_secret": "sandbox-secret"}


def seal(node: Any) -> Any:
    """A schema in which objects with declared members accept no other member."""
    if isinstance(node, list):
        return [seal(x) for x in node]
    if not isinstance(node, dict):
        return node
    out = {k: (v if k in ("enum", "const", "example", "examples", "required") else seal(v)) for k, v in node.items()}
    if isinstance(node.get("properties"), dict) and "additionalProperties" not in node:
        out["additionalProperties"] = False
    return out


@cache
def _sealed() -> dict[str, Any]:
    return seal(contract()["components"]["schemas"])


@cache
def _validator(operation: str, success: bool) -> Draft202012Validator:
    o = operations()[operation]
    if success:
        schema = {"$ref": "#/components/schemas/" + o["x-success-schema"]}
    else:
        schema = seal(o["responses"]["200"]["content"]["application/json"]["schema"])
    root = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": {"schemas": _sealed()}, **schema}
    return Draft202012Validator(root, format_checker=FormatChecker(["date"]))


def problems(operation: str, body: Any, *, success: bool = True) -> list[str]:
    """Where ``body`` departs from the contract: from the success schema, or from the whole response's."""
    return [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message[:160]}"
        for e in _validator(operation, success).iter_errors(body)
    ]


def code_of(body: dict[str, Any]) -> int:
    """Return the code of a body as an integer; for mini-apps either of the two codes may be the refusal."""
    data = body.get("data")
    if isinstance(data, dict) and "error_code" in data:
        return int(data["error_code"])
    inner = data.get("extra", {}) if isinstance(data, dict) else {}
    codes = (
        body.get("err_no"),
        body.get("error_code"),
        body.get("extra", {}).get("error_code"),
        inner.get("error_code"),
    )
    return next((int(c) for c in codes if c is not None and int(c) != 0), 0)


class Platform:
    """A client for one app of a sandbox that fetches the tokens it needs."""

    def __init__(self, handle: Handle, app: dict[str, str] = APP) -> None:
        self.handle, self.url, self.app, self.app_keys = handle, handle.url, handle.app, app
        self.http = httpx.Client(base_url=handle.url, timeout=10)
        self._tokens: dict[int, dict[str, Any]] = {}
        self._business: dict[int, dict[str, Any]] = {}

    # ---- control plane

    def reset(self, now: str = NOW) -> None:
        """Remove faults, counts and tokens, and set the clock to ``now``.

        It does not use HTTP, since every test begins with it.
        """
        self.app.faults.clear()
        self.app.stats.reset()
        self.app.clock.set(datetime.fromisoformat(now))
        self._tokens.clear()
        self._business.clear()

    def at(self, now: str | datetime | None) -> None:
        """Set the sandbox's clock."""
        value = now.isoformat() if isinstance(now, datetime) else now
        self.http.put("/_sandbox/clock", json={"now": value}).raise_for_status()

    def fault(self, operation: str, kind: str, **order: Any) -> None:
        reply = self.http.post("/_sandbox/faults", json={"operation": operation, "kind": kind, **order})
        assert reply.status_code == 200, reply.text

    def stats(self) -> dict[str, Any]:
        return self.http.get("/_sandbox/stats").json()

    def accounts(self, **query: str) -> list[dict[str, Any]]:
        return self.http.get("/_sandbox/accounts", params={"client_key": self.app_keys["client_key"], **query}).json()

    # ---- people, messages, webhooks

    def order(self, method: str, what: str, status: int = 200, **body: Any) -> Any:
        """Send an order to the control plane."""
        reply = self.http.request(method, f"/_sandbox/{what}", json=body or None)
        assert reply.status_code == status, reply.text
        return reply.json()

    def open_id(self, account: int = 0) -> str:
        return self.app.world.accounts[account].open_id

    def does(self, deed: str, person: str | None = None, account: int = 0, text: str = "") -> dict[str, Any]:
        """Let a person act now; return the event, with its content decoded."""
        order = {"account": self.open_id(account), "does": deed, "text": text} | ({"person": person} if person else {})
        event = self.order("POST", "people", **order)
        return event | {
            "content": json.loads(event["content"]) if isinstance(event["content"], str) else event["content"]
        }

    def people(self, account: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        """The newest customers of an account, the newest last."""
        return self.order("GET", f"people?account={self.open_id(account)}&limit={limit}")

    def messages(self) -> list[dict[str, Any]]:
        return self.order("GET", "messages")

    # ---- OAuth

    def oauth(self, name: str, **params: Any) -> dict[str, Any]:
        o = operations()[name]
        in_json = "application/json" in o.get("requestBody", {}).get("content", {})
        body = {"json": params} if in_json else {"data": params}
        reply = self.http.request(o["method"], o["path"], **body)
        assert reply.status_code == 200
        return reply.json()

    def redeem(self, code: str) -> dict[str, Any]:
        return self.oauth("oauth_access_token", **self.app_keys, code=code, grant_type="authorization_code")

    def tokens(self, account: int) -> dict[str, Any]:
        """The tokens of an account, by a new consent unless there are some."""
        if account not in self._tokens:
            self._tokens[account] = self.redeem(self.accounts()[account]["code"])["data"]
        return self._tokens[account]

    def business_token(self, account: int) -> dict[str, Any]:
        """Business tokens of an account, new unless there are some."""
        if account not in self._business:
            open_id = self.tokens(account)["open_id"]
            self._business[account] = self.oauth("oauth_business_token", **self.app_keys, open_id=open_id)["data"]
        return self._business[account]

    def client_token(self) -> str:
        return self.oauth("oauth_stable_client_token", **self.app_keys, grant_type="client_credential")["data"][
            "access_token"
        ]

    # ---- data

    def raw(self, name: str, account: int = 0, *, token: str | None = None, **params: Any) -> httpx.Response:
        """The response of an operation; open_id and token are filled in unless given."""
        endpoint = catalog.OTHER_OPERATIONS[name] if name in catalog.OTHER_OPERATIONS else catalog.ENDPOINTS[name]
        if endpoint.token == "user":
            tokens = self.tokens(account)
            token = token or tokens["access_token"]
            params.setdefault("open_id", tokens["open_id"])
        elif endpoint.token == "business":
            token = token or self.business_token(account)["biz_token"]
            params.setdefault("open_id", self.tokens(account)["open_id"])
        else:
            token = token or self.client_token()
        params.update({p.name: token for p in endpoint.params if p.fill is ParamSource.TOKEN and p.name not in params})
        params = {k: v for k, v in params.items() if v is not None}
        in_body = {p.name for p in endpoint.params if p.place is ParamLocation.BODY}
        body = {k: params.pop(k) for k in tuple(params) if k in in_body}
        sent = ({"data": body} if endpoint.form else {"json": body}) if in_body else {}
        return self.http.request(endpoint.method, endpoint.path, params=params, headers={"access-token": token}, **sent)

    def get(self, name: str, account: int = 0, **params: Any) -> dict[str, Any]:
        reply = self.raw(name, account, **params)
        assert reply.status_code == 200
        return reply.json()

    def data(self, name: str, account: int = 0, **params: Any) -> dict[str, Any]:
        """Return ``data`` (of mini-apps the inner one) of a successful response."""
        body = self.get(name, account, **params)
        assert code_of(body) == 0, body
        return (
            body["data"]["data"]
            if name in catalog.ENDPOINTS and catalog.ENDPOINTS[name].envelope is Envelope.MINI_APP
            else body["data"]
        )

    def write(self, name: str, account: int = 0, **params: Any) -> dict[str, Any]:
        """Return the body of a successful response of a write, checked against the contract."""
        body = self.get(name, account, **params)
        assert code_of(body) == 0, body
        assert problems(name, body) == []
        return body

    def refusal(self, name: str, account: int = 0, **params: Any) -> int:
        """Return the code of a refusal, or 0; the response is checked against the contract."""
        body = self.get(name, account, **params)
        assert problems(name, body, success=False) == []
        return code_of(body)

    def pages(self, name: str, account: int = 0, count: int = 20) -> list[dict[str, Any]]:
        """``data`` of all pages of a listing."""
        pages, cursor = [], 0
        while True:
            pages.append(self.data(name, account, cursor=cursor, count=count))
            assert len(pages) < 50
            if not pages[-1]["has_more"]:
                return pages
            cursor = int(pages[-1]["cursor"])

    def videos(self, account: int = 0) -> list[dict[str, Any]]:
        """The account's videos, each once, newest first; private ones last."""
        rows = [v for page in self.pages("video_list", account, 50) for v in page["list"] or ()]
        unique = {v["item_id"]: v for v in rows}.values()
        return sorted(unique, key=lambda v: -int(v["create_time"]))

    def close(self) -> None:
        self.http.close()
