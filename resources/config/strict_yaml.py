"""Read YAML files strictly: unknown keys and invalid values are errors with file and place."""

from __future__ import annotations

import re
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError


class _Yaml12Loader(yaml.SafeLoader):
    """YAML 1.2 loader: ``on`` is a word, and 19:30 a time of day.

    YAML 1.1 reads them as true and 1170.
    """


_TAKEN = {
    "tag:yaml.org,2002:bool": re.compile(r"^(?:true|false)$"),
    "tag:yaml.org,2002:int": re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"),
}
_Yaml12Loader.yaml_implicit_resolvers = {
    first: [(tag, _TAKEN.get(tag, pattern)) for tag, pattern in resolvers]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class BadFile(ValueError):
    """An unusable file; the message names file, place and reason."""


def _span(value: object) -> object:
    """Parse ``30m``, ``12h`` or ``7d`` as a length of time."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and (found := re.fullmatch(r"(\d{1,5})([smhd])", value)):
        return timedelta(seconds=int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]])
    raise ValueError(f"{value!r} is no length of time: write 30s, 30m, 12h or 7d")


def _clock(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d{1,2}:\d{2}", value):
        hours, minutes = map(int, value.split(":"))
        if hours < 24 and minutes < 60:
            return time(hours, minutes)
    raise ValueError(f'{value!r} is no time of day: write "19:30"')


Span = Annotated[timedelta, BeforeValidator(_span)]
ClockTime = Annotated[time, BeforeValidator(_clock)]


class StrictModel(BaseModel):
    """Immutable model of a part of a strict file; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class QuietPeriod(StrictModel):
    """Hours in Beijing time in which nothing is sent; they may span midnight."""

    from_: ClockTime = Field(alias="from")
    until: ClockTime


M = TypeVar("M", bound=StrictModel)


def read_yaml(path: Path, model: type[M], error_type: type[BadFile] = BadFile) -> M:
    """Read and validate a file as ``model``; errors name the place, not the value, which may be secret.

    Raises:
        BadFile: (or ``error_type``) the file cannot be read, is not YAML, or does not match the model.
    """
    try:
        document: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=_Yaml12Loader)
    except OSError as error:
        raise error_type(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.MarkedYAMLError as error:
        # str(error) quotes the line, which may contain an address with a secret.
        mark = error.problem_mark
        raise error_type(
            f"{path}: is no YAML: {error.problem}"
            + (f" (line {mark.line + 1}, column {mark.column + 1})" if mark else "")
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise error_type(f"{path}: is no YAML in UTF-8 ({type(error).__name__})") from None
    if not isinstance(document, dict):
        raise error_type(f"{path}: must hold names and values")
    try:
        return model.model_validate(document)
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(p) for p in e['loc']) or 'the file'}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        ]
        raise error_type(f"{path}:\n  " + "\n  ".join(lines)) from None
