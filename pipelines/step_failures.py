"""Read the error messages of failed steps."""


def error_message_of(failure) -> str:
    """Return the message of a failed step: its own, or that of the innermost error, without the note of the retry."""
    if failure.user_failure_data:
        return (failure.user_failure_data.description or "failed").strip()
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    return (error.message if error else "failed").strip()
