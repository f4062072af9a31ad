"""What a failed step says."""


def error_message_of(failure) -> str:
    """What a failed step says: its own words, or the error at the bottom, not that it was tried twice."""
    if failure.user_failure_data:
        return (failure.user_failure_data.description or "failed").strip()
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    return (error.message if error else "failed").strip()
