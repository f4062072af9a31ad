"""``douyin needs``: how comments are read, and how well."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table as Grid

from pipelines.console import console, fail, load_settings

app = typer.Typer(no_args_is_help=True, help="How comments are read: needs, questions and mood by the files of needs/.")


def _open():
    from assets.needs.files import NEEDS_DIR, BadNeeds, read_files
    from assets.needs.reading import Reader

    folder = load_settings().needs_dir or NEEDS_DIR
    try:
        files = read_files(folder)
    except BadNeeds as error:
        fail(str(error), 2)
    return folder, files, Reader(files)


@app.command()
def evaluate(errors: Annotated[bool, typer.Option("--errors", help="print the comments that were got wrong, too")] = False) -> None:
    """Precision and recall of needs, questions and mood against needs/evaluation.tsv, tuned and held-out half apart."""
    from assets.needs.evaluate import evaluate as measure
    from assets.needs.evaluate import read_lines

    folder, files, reader = _open()
    lines = read_lines(folder)
    classes = [n.id for n in files.rules.classes]
    halves = {"tuned on": [x for x in lines if not x.is_held_out], "held out": [x for x in lines if x.is_held_out]}
    measured = {name: measure(reader, half, classes) for name, half in halves.items()}
    grid = Grid(header_style="bold", box=None)
    grid.add_column("class")
    for name in measured:
        for what in ("precision", "recall", "F1", "n"):
            grid.add_column(f"{name}\n{what}", justify="right")
    for name in (*classes, "question", "mood +", "mood -"):
        cells = []
        for result in measured.values():
            s = result.scores[name]
            cells += [*("–" if v is None else f"{v:.2f}" for v in (s.precision, s.recall, s.f1)), str(s.support)]
        grid.add_row(name, *cells)
    console.print(grid)
    for name, result in measured.items():
        console.print(f"{name}: {result.lines} comments, macro F1 of the needs {result.macro_f1(classes):.2f}, {len(result.wrong)} comments with something wrong", highlight=False)
    console.print("The comments are invented; mood is a small lexicon and heuristic.", style="dim")
    if errors:
        for name, result in measured.items():
            console.print(f"\n[bold]{name}[/bold]")
            for line, said in result.wrong:
                console.print(f"  {line.text}   wanted {','.join(sorted(line.needs)) or '-'} {int(line.is_question)} {'0+-'[line.mood]}, read {said}", highlight=False, markup=False, soft_wrap=True)


@app.command("try")
def try_(text: Annotated[str, typer.Argument(help="a comment")]) -> None:
    """How one comment is read."""
    _, files, reader = _open()
    read = reader.read(text)
    names = {n.id: f"{n.zh} {n.id}" for n in files.rules.classes}
    for name, value in (
        ("normalised", read.text), ("words", " ".join(read.terms) or "–"), ("needs", ", ".join(names[n] for n in read.needs) or "–"), ("asks", "yes" if read.is_question else "no"),
        ("mood", "–" if read.sentiment is None else f"{read.sentiment:+.2f} (heuristic)"), ("masked", read.masked),
    ):  # fmt: skip
        console.print(f"{name:<11} {value}", highlight=False, markup=False, soft_wrap=True)
