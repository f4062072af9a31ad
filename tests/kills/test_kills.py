"""kill -9 at any instant and at each step of a commit: no data is lost or doubled, few requests are repeated."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import Numbers, Place, Trials
from zygote import STEPS

SEED = 20261118
STEP_KILLS = [
    (step, number, when)
    for step in STEPS
    for number, when in ((1, "before"), (1, "after"))
    if not (step.endswith("write") and when == "after")
]
"""Each step, at its first occurrence in the remaining work; random instants cover later ones."""


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    yield made
    made.close()


SOME_STEPS = ("archive rename", "state commit", "publish swap")


@pytest.mark.slow
def test_a_day_that_is_killed_again_and_again_ends_as_if_undisturbed(place, capsys):
    """The short form: a step of each kind of file, one after the other, and a random instant, in one day."""
    numbers = Numbers()
    trials = Trials(place, numbers, threading.Lock())
    trials.run("day", [*((step, 1, "before") for step in SOME_STEPS), *trials.random_kills(random.Random(SEED), 1)])
    with capsys.disabled():
        print(f"\n{numbers}")


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_three_hundred_kills(tmp_path, capsys):
    numbers, lock, places = Numbers(), threading.Lock(), []
    rng = random.Random(SEED)

    def worker(number: int) -> None:
        place = Place(_folder(tmp_path / f"worker{number}"))
        places.append(place)
        try:
            trials = Trials(place, numbers, lock)
            for n in range(15):
                trials.run(f"day{n}", trials.random_kills(random.Random(rng.random() + number), 10))
            if number == 1:
                # Only a second publication has a file to copy.
                trials.run(
                    "copy", [("publish swap", 1, "after"), ("publish copy", 1, "before"), ("publish copy", 1, "after")]
                )
            if number == 0:
                for n, step in enumerate(k for k in STEP_KILLS if k[0] != "publish copy"):
                    trials.run(
                        f"step{n}",
                        [step, (step[0], 2, step[2])]
                        if step[0].startswith(("archive", "parquet", "state"))
                        else [step],
                    )
        finally:
            place.close()

    with ThreadPoolExecutor(2) as pool:
        try:
            for done in [pool.submit(worker, n) for n in range(2)]:
                done.result()
        except BaseException:
            for place in places:  # the pool waits for its threads, and these for output
                place.stop()
            raise
    with capsys.disabled():
        print(f"\nseed {SEED}: {numbers}")
    assert numbers.kills["at random"] == 300
    assert (numbers.lost, numbers.doubled, numbers.lakes_differing, numbers.leftovers, numbers.disagreements) == (
        0,
        0,
        0,
        0,
        0,
    )
    assert numbers.asked_again <= numbers.promised


def _folder(path):
    path.mkdir()
    return path
