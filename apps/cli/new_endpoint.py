"""``douyin dev new-endpoint``: lay down record, contract entry, sample and sandbox handler of a new endpoint."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from apps.cli.console import console, fail
from catalog import ENDPOINTS, FIELDS, OPERATIONS, TABLES
from catalog.endpoints import MODULES
from catalog.records import EmptyMeaning, Endpoint, Token, Type
from resources.config.project import IS_CHECKOUT, SHIPPED

TODO = "FILL IN"
"""Marks the places that are left to a person; the tests of the catalogue fail while one is left."""
_CONTRACT = Path("catalog/contract/openapi.yaml")
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")


class Kind(StrEnum):
    """What the list of the response is."""

    RANKING = "ranking"  # a list whose order is the rank: every observation of a day is kept
    LISTING = "listing"  # things with an id: the latest state of each one is kept


@dataclass(frozen=True)
class _ColumnForm:
    """How a column of one type is written in record, contract, sample and handler."""

    type: Type
    constructor: str
    schema: str
    sample: str | int | float
    made: str


_FORMS = {
    "text": _ColumnForm(Type.TEXT, "member", "{type: string, description: FILL IN}", TODO, f'f"{TODO} {{i}}"'),
    "int": _ColumnForm(
        Type.BIGINT,
        "count",
        "{$ref: '#/components/schemas/IntOrString', description: FILL IN}",
        12,
        "call.form.whole(n % 999)",
    ),
    "number": _ColumnForm(
        Type.DOUBLE,
        "index",
        "{$ref: '#/components/schemas/NumOrString', description: FILL IN}",
        1.5,
        "call.form.number(n % 999 / 10)",
    ),
}
_ID = 'f"{n:019d}"'
_EXTRA = {
    "description": "", "error_code": 0, "logid": "202405211000070A1B2C3D4E5F60718", "now": 1716278400456,
    "sub_description": "", "sub_error_code": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """The new endpoint; ``model`` is an endpoint of its domain, which decides on what is not given."""

    name: str
    path: str
    table: str
    kind: Kind
    token: Token
    columns: dict[str, _ColumnForm]
    en: str
    zh: str
    model: Endpoint
    web_only: bool

    @property
    def schema(self) -> str:
        """Return the name of the response's schema."""
        return "".join(word.capitalize() for word in self.name.split("_")) + "Response"

    @property
    def own(self) -> tuple[str, ...]:
        """List the columns that do not come from the response's members."""
        return (*(["open_id"] if self.token is Token.USER else []), *(["rank"] if self.kind is Kind.RANKING else []))

    def record(self) -> str:
        """Return the endpoint's record."""
        model, listed = self.model, [f'{form.constructor}("{c}")' for c, form in self.columns.items()]
        columns = ", ".join([{"open_id": "ACCOUNT", "rank": "RANK_BY_ORDER"}[c] for c in self.own] + listed)
        cadence = model.cadence.name if model.cadence.name not in ("daily_t1", "rank_weeks") else "daily_snapshot"
        more = " empty=EmptyMeaning.NOT_READY," if model.empty is EmptyMeaning.NOT_READY else ""
        more += " over=IterateBy.ACCOUNTS, params=(OPEN_ID,)," if self.token is Token.USER else ""
        more += " apps=WEB_ONLY," if self.web_only else ""
        return f"""\
    Endpoint(
        name="{self.name}", domain="{model.domain}", method="GET", path="{self.path}",
        scope="{model.scope}", token=Token.{self.token.name}, status=Status.UNVERIFIED, en="{self.en}", zh="{self.zh}",
        doc_en="{TODO}.", doc_zh="{TODO}。",
        cadence={cadence.upper()},{more}
        outputs=(Output("{self.table}", "data.list", ({columns},)),),
    ),
"""

    def table_record(self) -> str:
        """Return the table's record."""
        ids = [c for c in self.columns if c.endswith("_id")] if self.kind is Kind.LISTING else []
        history = "SNAPSHOT" if self.kind is Kind.RANKING else "LISTING"
        return f"""\
    Table(
        "{self.table}", "{self.model.domain}", "{self.en}", "{self.zh}", "{TODO}.", "{TODO}。",
        History.{history}, {_tuple(*self.own, *self.columns)}, {_tuple(*self.own, *ids)},
    ),
"""

    def field_records(self) -> str:
        """Return records of the fields that the catalogue does not have yet."""
        return "".join(
            f'    Field("{c}", Type.{form.type.name}, "{TODO}", "{TODO}", "{TODO}.", "{TODO}。"),\n'
            for c, form in self.columns.items()
            if c not in FIELDS
        )

    def contract_entry(self, tag: str) -> str:
        """Return the path of the contract."""
        user = self.token is Token.USER
        parameters = "\n      parameters: [{$ref: '#/components/parameters/OpenId'}]" if user else ""
        return f"""\
  {self.path}:
    get:
      operationId: {self.name}
      tags: [{tag}]
      summary: {self.en} / {self.zh}
      description: {TODO}
      security: [{{{self.token}Token: []}}]{parameters}
      responses:
        '200':
          description: Success or business error (always HTTP 200; read the code fields)
          content:
            application/json:
              schema:
                anyOf: [{{$ref: '#/components/schemas/{self.schema}'}}, {{$ref: '#/components/schemas/LegacyError'}}]
      x-scope: {self.model.scope}
      x-token: {self.token}
      x-token-location: header
      x-pagination: none
      x-freshness: {TODO}
      x-history: snapshot
      x-doc: {TODO}
      x-confidence: low
      x-status: unverified
{"      x-apps: [web]" + chr(10) if self.web_only else ""}      x-success-schema: {self.schema}
"""

    def contract_schema(self) -> str:
        """Return the schema of the successful response."""
        members = "".join(f"                  {c}: {form.schema}\n" for c, form in self.columns.items())
        return f"""\
    {self.schema}:
      type: object
      required: [data]
      properties:
        data:
          type: object
          required: [list]
          properties:
            list:
              type: [array, 'null']
              items:
                type: object
                required: [{", ".join(self.columns)}]
                properties:
{members}            error_code: {{$ref: '#/components/schemas/IntOrString', description: 0 = ok}}
            description: {{type: string, description: 'Error text, empty on success'}}
        extra: {{$ref: '#/components/schemas/Extra'}}
"""

    def sample(self) -> str:
        """Return a response with two rows."""
        rows = [
            {c: f"{form.sample} {n}" if form.type is Type.TEXT else form.sample for c, form in self.columns.items()}
            for n in (1, 2)
        ]
        listed = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in rows)
        data = f'"data": {{"error_code": 0, "description": "", "list": [\n  {listed}\n]}}'
        return f'{{{data},\n"extra": {json.dumps(_EXTRA)}}}\n'

    def handler(self, function: str) -> str:
        """Return the sandbox's function."""
        members = ", ".join(f'"{c}": {_ID if c.endswith("_id") else form.made}' for c, form in self.columns.items())
        salt = ", name(call.account.open_id)" if self.token is Token.USER else ""
        salt += ", int(call.instant // HOUR_S)" if self.kind is Kind.RANKING else ""
        return f'''\
def {function}(call: Call) -> dict[str, Any]:
    """Return ten rows that follow from the seed{" and the hour" if self.kind is Kind.RANKING else ""}."""
    # {TODO}: what the platform would send
    numbers = [mix(call.world.seed, name("{self.name}"){salt}, i) for i in range(10)]
    rows = [{{{members}}} for i, n in enumerate(numbers, 1)]
    return {{"list": rows}}


'''


def new_endpoint(
    name: Annotated[str, typer.Argument(help="operation, such as hotsearch_challenges; its first word is the domain")],
    path: Annotated[str, typer.Option(help="path on the platform, with a slash at both ends")],
    table: Annotated[str, typer.Option(help="name of the new table")],
    column: Annotated[
        list[str], typer.Option(help="member of the rows, as NAME:text, NAME:int or NAME:number; several times")
    ],
    en: Annotated[str, typer.Option(help="English name")],
    zh: Annotated[str, typer.Option(help="Chinese name, as in the platform's documentation")],
    kind: Annotated[Kind, typer.Option(help="a list whose order is the rank, or things with an id")] = Kind.RANKING,
    user: Annotated[bool, typer.Option("--user", help="requested for each account, with its token")] = False,
    domain: Annotated[str | None, typer.Option(help="domain, if it is not the first word of the name")] = None,
    web_only: Annotated[bool, typer.Option("--web-only", help="mini-apps do not have it")] = False,
) -> None:
    """Lay down a new endpoint in a checkout: record, contract entry, sample and sandbox handler, to be filled in.

    docs/howto-endpoint.md shows an example from here to rows in the warehouse.
    """
    if not IS_CHECKOUT:
        fail("new-endpoint writes into the source code: clone the repository and run `make setup` there")
    draft, module, answers = _checked(
        name, path, table, column, en, zh, kind, Token.USER if user else Token.CLIENT, domain, web_only
    )
    files = _texts(draft, module, answers)
    for file, text in files.items():
        (SHIPPED / file).write_text(text, encoding="utf-8")
    code = [str(SHIPPED / file) for file in files if file.suffix == ".py"]
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run([*ruff, "check", "-q", "--select", "I,F401", "--fix", *code], cwd=SHIPPED, check=True)
    subprocess.run([*ruff, "format", "-q", *code], cwd=SHIPPED, check=True)
    console.print("Fill in:")
    for file in files:
        for number, line in enumerate((SHIPPED / file).read_text(encoding="utf-8").splitlines(), 1):
            if TODO in line:
                console.print(f"  {file}:{number}: {line.strip()}", markup=False, highlight=False)
    console.print(
        "Then:\n  python -m pytest -m 'not slow' tests/catalog\n  python -m apps.docs.reference\n"
        "  python -m pytest tests/pipelines/test_definitions.py --snapshot-update",
        markup=False,
        highlight=False,
    )


def _checked(
    name: str,
    path: str,
    table: str,
    column: list[str],
    en: str,
    zh: str,
    kind: Kind,
    token: Token,
    domain: str | None,
    web_only: bool,
) -> tuple[Draft, ModuleType, ModuleType]:
    """Return the draft with its domain's modules of records and handlers; refuse what cannot be laid down."""
    domain = domain or name.partition("_")[0]
    taken = {e.path for e in (*ENDPOINTS.values(), *OPERATIONS.values())}
    domains = {m.ENDPOINTS[0].domain: m for m in MODULES}
    columns = dict(c.partition(":")[::2] for c in column)
    if not _NAME.fullmatch(name) or not _NAME.fullmatch(table):
        fail(f"{name}, {table}: give names of at least two words in lower case, joined by _")
    if name in ENDPOINTS or name in OPERATIONS:
        fail(f"{name} exists already: choose another name")
    if table in TABLES:
        fail(f"the table {table} exists already: choose another name, or add an Output to a record by hand")
    if not re.fullmatch(r"/[\w/-]+/", path) or path in taken:
        fail(f"{path}: give a path that no other operation has, with a slash at both ends")
    for text in (en, zh):
        if not text or re.search(r"[\"\\:#]", text):
            fail(f"{text!r}: give a name without quotation marks, colons and number signs")
    if domain not in domains:
        fail(f"there is no domain {domain}: give --domain, one of {', '.join(domains)}")
    for field, form in columns.items():
        known = FIELDS[field].type if field in FIELDS else None
        if form not in _FORMS or not re.fullmatch(r"[a-z][a-z0-9_]*", field) or known not in (None, _FORMS[form].type):
            fail(
                f"{field}:{form}: give {'|'.join(_FORMS)}"
                + (f"; the catalogue has {field} as {known}" if known else "")
            )
    if kind is Kind.LISTING and not any(c.endswith("_id") for c in columns):
        fail("a listing needs a column whose name ends in _id: things without an id are a ranking")
    module, model = domains[domain], domains[domain].ENDPOINTS[0]
    forms = {field: _FORMS[form] for field, form in columns.items()}
    return Draft(name, path, table, kind, token, forms, en, zh, model, web_only), module, _answers_of(model)


def _answers_of(model: Endpoint) -> ModuleType:
    """Return the sandbox's module that handles an endpoint."""
    import sandbox.answers

    for module in vars(sandbox.answers).values():
        if isinstance(module, ModuleType) and model.name in getattr(module, "ANSWERS", {}):
            return module
    fail(f"the handlers of {model.domain} are made in a loop: write the new one by hand")


def _texts(draft: Draft, module: ModuleType, answers: ModuleType) -> dict[Path, str]:
    """Return the files with the new endpoint in them, by their path within the repository."""
    records, handlers = (Path(str(m.__file__)).relative_to(SHIPPED) for m in (module, answers))
    text = _with_imports(
        (SHIPPED / records).read_text(encoding="utf-8"),
        f"from catalog.cadences import {', '.join(sorted({'DAILY_SNAPSHOT', draft.model.cadence.name.upper()}))}",
        "from catalog.endpoints._columns import ACCOUNT, OPEN_ID, RANK_BY_ORDER, WEB_ONLY, count, index, member",
        "from catalog.iterations import IterateBy",
        "from catalog.records import EmptyMeaning, Endpoint, Field, History, Output, Status, Table, Token, Type",
    )
    text = _with_item(text, "ENDPOINTS", draft.record())
    text = _with_item(text, "TABLES", draft.table_record(), "Table")
    if fields := draft.field_records():
        text = _with_item(text, "FIELDS", fields, "Field")
    answer_text = _with_imports(
        (SHIPPED / handlers).read_text(encoding="utf-8"),
        "from typing import Any",
        "from sandbox.answers.call import Call",
        "from sandbox.clock import HOUR_S",
        "from sandbox.hashing import mix, name",
    )
    short = draft.name.removeprefix(draft.model.domain + "_")
    function = draft.name if re.search(rf"\b{short}\b", answer_text) else short
    answer_text = _with_item(answer_text, "ANSWERS", f'    "{draft.name}": {function},\n')
    answer_text = answer_text.replace("\nANSWERS = {", f"\n{draft.handler(function)}ANSWERS = {{")
    contract = (SHIPPED / _CONTRACT).read_text(encoding="utf-8")
    found = re.search(rf"operationId: {draft.model.name}\n +tags: \[(\w+)\]", contract)
    contract = contract.replace(
        "\nwebhooks:\n", "\n" + draft.contract_entry(found[1] if found else TODO) + "webhooks:\n"
    )
    contract = contract.replace("\n  schemas:\n", "\n  schemas:\n" + draft.contract_schema())
    return {
        records: text,
        _CONTRACT: contract,
        Path("catalog/contract/samples") / f"{draft.name}.json": draft.sample(),
        handlers: answer_text,
    }


def _tuple(*words: str) -> str:
    """Write a tuple of texts."""
    return json.dumps(words).replace("[", "(").replace("]", ",)" if len(words) == 1 else ")")


def _with_imports(source: str, *lines: str) -> str:
    """Add imports before the first one; ruff puts them together and removes those that are not used."""
    future = "from __future__ import annotations\n"
    return source.replace(future, "\n".join((future, *lines, "")), 1)


def _with_item(source: str, variable: str, item: str, type_: str = "") -> str:
    """Add an item at the end of a module's tuple or dictionary; make the tuple if the module has none."""
    text = source.encode()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and ast.unparse(node).startswith(
            (f"{variable} ", f"{variable}:")
        ):
            value = node.value
            if not isinstance(value, ast.Tuple | ast.Dict):
                fail(f"{variable} is made in a loop: write the new endpoint by hand")
            lines = text.splitlines(keepends=True)[: value.end_lineno]
            end = len(b"".join(lines[:-1])) + (value.end_col_offset or 0) - 1
            before = text[:end].rstrip()
            comma = b"" if before.endswith((b",", b"(", b"{")) else b","
            return (before + comma + b"\n" + item.encode() + text[end:]).decode()
    return f"{source}\n{variable}: tuple[{type_}, ...] = (\n{item})  # fmt: skip\n"
