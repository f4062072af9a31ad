"""Decide what a response, or its absence, means for a day of an account."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date

from catalog.errors import Action
from catalog.records import EmptyMeaning, Endpoint
from resources.client.errors import CallFailed
from resources.config.redaction import redact
from resources.state.load_status import Outcome


@dataclass
class SubjectResult:
    """Outcome of one subject for one day."""

    outcome: Outcome
    code: int | None = None
    reason: str | None = None


_ACTION_OUTCOMES = {
    Action.SKIP: Outcome.SKIPPED,
    Action.QUOTA: Outcome.QUOTA,
    Action.DISABLE: Outcome.UNAVAILABLE,
    Action.RECONSENT: Outcome.NEEDS_CONSENT,
    Action.REFRESH: Outcome.NEEDS_CONSENT,
    Action.STOP_ACCOUNT: Outcome.STOPPED,
}

_EMPTY_OUTCOMES = {
    EmptyMeaning.NOT_READY: Outcome.NOT_READY,
    EmptyMeaning.BELOW_THRESHOLD: Outcome.BELOW_THRESHOLD,
    EmptyMeaning.LEGAL: Outcome.EMPTY,
}


def outcome_of(endpoint: Endpoint, items: int, newest: str | None, dt: date) -> SubjectResult:
    """Return the outcome of a complete successful response for ``dt``."""
    if endpoint.windows:
        if newest is None or newest < dt.isoformat():
            return SubjectResult(
                Outcome.NOT_READY, 0, f"the series ends on {newest or 'no day'}, {dt} is not produced yet"
            )
        return SubjectResult(Outcome.LOADED, 0)
    if items:
        return SubjectResult(Outcome.LOADED, 0)
    return SubjectResult(_EMPTY_OUTCOMES[endpoint.empty], 0, "the platform sent no rows")


def outcome_of_error(error: CallFailed) -> SubjectResult:
    """Return the outcome of a call that failed permanently."""
    trace = f" [logid {error.logid}]" if error.logid else ""
    return SubjectResult(
        _ACTION_OUTCOMES.get(error.action, Outcome.FAILED), error.code, f"{error.reason}{trace}. {error.advice}".strip()
    )


def outcome_of_unexpected(error: Exception) -> SubjectResult:
    """Return the outcome of a request that ended in an unexpected error."""
    said = redact(" ".join(str(error).split())[:_LONGEST_SURPRISE])
    return SubjectResult(
        Outcome.FAILED,
        None,
        f"unexpected {type(error).__name__}: {said}. Its answers are in the archive; please report it",
    )


_LONGEST_SURPRISE = 200


def summarise(results: list[SubjectResult]) -> SubjectResult:
    """Combine the outcomes of an account's objects into one; a success never hides a failure."""
    if any(t.outcome is Outcome.GONE for t in results):  # an empty result of other objects does not change that
        results = [t for t in results if t.outcome is not Outcome.EMPTY]
    failed = [t for t in results if t.outcome.is_missing]
    fine = [t for t in results if not t.outcome.is_missing]
    if waiting := next((t for t in failed if t.outcome is Outcome.QUOTA), None):
        # Calls stopped by the quota resume on another day, which finds them by their outcome.
        return (
            waiting if not fine else replace(waiting, reason=f"{len(failed)} of {len(results)} wait: {waiting.reason}")
        )
    if (
        failed
        and fine
        and (any(t.outcome.is_failure for t in failed) or any(t.outcome is Outcome.LOADED for t in fine))
    ):
        return SubjectResult(
            Outcome.PARTIAL, failed[0].code, f"{len(failed)} of {len(results)} failed: {failed[0].reason}"
        )
    if failed:
        common, _ = Counter(t.outcome for t in failed).most_common(1)[0]
        return next(t for t in failed if t.outcome is common)
    for outcome in (
        Outcome.LOADED,
        Outcome.NOT_READY,
        Outcome.BELOW_THRESHOLD,
        Outcome.SKIPPED,
        Outcome.EMPTY,
        Outcome.NOT_ASKED,
    ):
        same = [t for t in fine if t.outcome is outcome]
        if same:
            rest = len(results) - len(same)
            return replace(
                same[0],
                reason=f"{rest} of {len(results)} without rows"
                if rest and outcome is Outcome.LOADED
                else same[0].reason,
            )
    return SubjectResult(Outcome.EMPTY, None, "there was nothing to request")
