"""List the platform's operations with their state for an installation: catalogue records and results of trial calls."""

from __future__ import annotations

from dataclasses import dataclass

from catalog import ENDPOINTS, OPERATIONS, TABLES
from catalog.errors import OFFLINE
from catalog.records import AppType, Endpoint, Operation, OperationKind
from resources.state import State
from resources.state.capabilities import read_capabilities

OWNED, NOT_OWNED, WITHDRAWN, NEVER_TRIED = "owned", "not owned", "withdrawn", "never tried"
OTHER_APPS = "endpoint of other apps"


@dataclass(frozen=True, slots=True)
class Coverage:
    """One operation.

    ``here`` is its state for one app: owned, not owned, withdrawn, never tried, or why it is never tried.
    """

    operation: str
    tables: str
    history: str
    status: str
    scope: str
    here: str
    reason: str


def coverage_of(state: State | None, client_key: str | None, app_type: AppType | None) -> list[Coverage]:
    """List all operations of the contract, and the variants for business consent if the app is of that type."""
    known = read_capabilities(state, client_key) if state is not None and client_key else {}
    shown: dict[str, Endpoint | Operation] = dict(OPERATIONS)
    if app_type is AppType.BUSINESS:
        shown |= {name: e for name, e in ENDPOINTS.items() if e.twin_of}
    lines = []
    for name, one in shown.items():
        reason = ""
        if isinstance(one, Operation):
            here = "used for tokens" if one.kind is OperationKind.TOKEN else "writes: not yet used"
        elif (capability := known.get(name)) is not None:
            here = OWNED if capability.owned else WITHDRAWN if capability.code in OFFLINE else NOT_OWNED
            reason = (
                ""
                if capability.owned
                else f"since {capability.since:%Y-%m-%d}: {capability.reason} (code {capability.code})"
            )
        elif app_type is not None and app_type not in one.apps:
            here = OTHER_APPS
        else:
            here = NEVER_TRIED
        lines.append(Coverage(name, tables_of(one), history_of(one), str(one.status), one.scope or "", here, reason))
    return lines


def tables_of(one: Endpoint | Operation) -> str:
    """Name the tables that an operation fills."""
    return ", ".join(one.tables) if isinstance(one, Endpoint) else "–"


def history_of(one: Endpoint | Operation) -> str:
    """Name the distinct histories of the tables that an operation fills."""
    if isinstance(one, Operation):
        return str(one.kind)
    return ", ".join(dict.fromkeys(str(TABLES[t].history) for t in one.tables))
