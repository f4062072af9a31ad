"""``douyin needs``: try the rules of ``needs/`` on comments, and measure them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from apps.cli.console import Grid, console, fail, load_settings

app = typer.Typer(
    help=(
        "What fans want 粉丝需求: try the rules of needs/ on a text, and measure them on the comments of "
        "needs/evaluation.tsv."
    ),
    no_args_is_help=True,
)


def _analyser():
    from services.comments.reading import analyser
    from services.comments.rules import BadNeeds, needs_dir

    folder = needs_dir(load_settings())
    try:
        return analyser(folder), folder
    except BadNeeds as error:
        fail(str(error), 2)


@app.command("try")
def try_(text: Annotated[str, typer.Argument(help="a comment")]) -> None:
    """Analyse one text: plain form, terms, needs, question, sentiment, and its masked form.

    All of it is heuristic.
    """
    from services.comments.masking import mask_all

    analyser, _ = _analyser()
    names = {need.id: need.zh for need in analyser.classes}
    (plain,), (terms,), (needs,), (question,), (sentiment,) = (
        read([text])
        for read in (analyser.plain, analyser.terms, analyser.needs, analyser.questions, analyser.sentiments)
    )
    grid = Grid(box=None, show_header=False)
    for name, value in (
        ("plain 规范化", analyser.reader.shown(plain)),
        ("terms 分词", " ".join(terms) or "–"),
        ("needs 需求", ", ".join(f"{n} {names[n]}" for n in needs) or "–"),
        ("question 提问", "yes" if question else "no"),
        ("sentiment 情感", "nothing said" if sentiment is None else f"{sentiment:+.4f}"),
        ("masked 脱敏", mask_all([text])[0]),
    ):
        grid.add_row(name, Text(value))
    console.print(grid)


@app.command()
def evaluate(
    errors: Annotated[
        bool, typer.Option("--errors", help="show the comments of the tuning half that were read wrongly")
    ] = False,
    all_errors: Annotated[
        bool, typer.Option("--all-errors", help="show those of the held-out half, too; tuned on, it is none")
    ] = False,
) -> None:
    """Measure the rules on the examples: precision, recall and F1.

    Shows each need class, questions and sentiment, for the tuning half and the held-out half apart.
    """
    from services.comments.evaluate import Half, load_examples
    from services.comments.evaluate import evaluate as measure
    from services.comments.rules import BadNeeds, fingerprint

    analyser, folder = _analyser()
    try:
        examples = load_examples(folder, [need.id for need in analyser.classes])
    except BadNeeds as error:
        fail(str(error), 2)
    measured = {half: measure(analyser, [e for e in examples if e.half is half]) for half in Half}
    grid = Grid(header_style="bold", box=None, title=f"rules {fingerprint(folder)}: {len(examples)} invented comments")
    grid.add_column("class")
    for half in Half:
        for column in ("support", "precision", "recall", "F1"):
            grid.add_column(f"{half}\n{column}", justify="right")
    for first, second in zip(*(m.scores for m in measured.values()), strict=True):
        grid.add_row(
            first.label,
            *(
                cell
                for s in (first, second)
                for cell in (str(s.support), _share(s.precision), _share(s.recall), f"{s.f1:.2f}")
            ),
        )
    console.print(grid)
    for half, found in measured.items():
        console.print(
            f"{half}: {found.examples} comments; mean F1 of needs {found.needs_f1:.3f}, F1 of questions "
            f"{found.question_f1:.3f}, "
            f"mean F1 of sentiment {found.sentiment_f1:.3f}",
            highlight=False,
            soft_wrap=True,
        )
    console.print(
        "The comments are invented and by the same hand as the rules: real ones will be read worse. Add "
        "yours to evaluation.tsv.",
        style="dim",
        soft_wrap=True,
    )
    for half in [h for h in Half if all_errors or (errors and h is Half.TUNE)]:
        console.print(f"\nread wrongly, {half}: {len(measured[half].wrong)}")
        for wrong in measured[half].wrong:
            missed, made_up = ", ".join(sorted(wrong.missed)) or "–", ", ".join(sorted(wrong.made_up)) or "–"
            console.print(
                Text(f"{wrong.example.line:>5}  {wrong.example.text}  missed: {missed}  made up: {made_up}"),
                soft_wrap=True,
            )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
