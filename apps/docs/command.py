"""Generate the page of the douyin command from its help texts."""

from __future__ import annotations

import typer
from typer.core import TyperGroup

from apps.docs.markdown import GENERATED

WIDTH = 100
"""Columns of the help texts, independent of the terminal."""


def cli_page() -> str:
    """Generate the page of the ``douyin`` command from its help texts."""
    from apps.cli.main import app

    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)  # it has sub-commands
    lines = [
        GENERATED,
        "",
        "# The `douyin` command",
        "",
        "[README](../README.md)",
        "",
        "In the environment that `make setup` creates the command is `.venv/bin/douyin`. Settings come "
        "from the environment and `.env`; "
        "see [configuration](configuration.md).",
        "",
    ]
    lines += ["## douyin", "", "```text", _help(group, "douyin", None), "```", ""]
    lines += _sections(group, "", group)
    return "\n".join(lines).rstrip() + "\n"


def _sections(commands: TyperGroup, of: str, group: TyperGroup) -> list[str]:
    """Return a section for each command of a group and, one level deeper, for those of its own groups."""
    lines = []
    for name, command in commands.commands.items():
        full = f"{of} {name}".strip()
        level = "#" * (2 + full.count(" "))
        lines += [f"{level} douyin {full}", "", "```text", _help(command, full, group), "```", ""]
        if isinstance(command, TyperGroup):
            lines += _sections(command, full, group)
    return lines


def _help(command, name: str, group) -> str:
    """Format a command's help as plain text. Rich would draw boxes as wide as the terminal."""
    command.rich_markup_mode = None
    context = command.context_class(
        command,
        info_name=name,
        terminal_width=WIDTH,
        parent=None if group is None else group.context_class(group, info_name="douyin"),
    )
    formatter = context.make_formatter()
    command.format_help(context, formatter)
    return "\n".join(line.rstrip() for line in formatter.getvalue().strip().splitlines())
