"""`make mutants` stays runnable.

Its modules and tests exist, its mutants are valid programs, and its list of equivalent ones is current.
"""

from __future__ import annotations

import mutants
import pytest


def test_every_module_has_tests_that_are_there():
    assert len(mutants.TESTS) == 24
    for module, tests in mutants.TESTS.items():
        assert (mutants.ROOT / module).is_file()
        assert [t for t in tests if not (mutants.ROOT / "tests" / t).is_file()] == []
        assert len(tests) == len(set(tests)) > 0


@pytest.mark.parametrize("module", mutants.TESTS)
def test_mutants_are_other_programs(module: str):
    source = (mutants.ROOT / module).read_bytes()
    found = mutants.mutants_of(module)
    assert len(found) > 20
    for mutant in found[::15]:
        assert source[mutant.start : mutant.end].decode() == mutant.old
        changed = source[: mutant.start] + mutant.new.encode() + source[mutant.end :]
        compile(changed, str(mutant), "exec")


@pytest.mark.slow
def test_a_sample_is_the_beginning_of_a_larger_one():
    assert mutants.sample(list(mutants.TESTS), 50, 1)[:20] == mutants.sample(list(mutants.TESTS), 20, 1)
    assert mutants.sample(list(mutants.TESTS), 20, 1) != mutants.sample(list(mutants.TESTS), 20, 2)


def test_each_equivalent_mutant_is_still_one_and_has_a_reason():
    there = {key for module in mutants.TESTS for m in mutants.mutants_of(module) for key in m.keys}
    known = mutants.equivalent()
    assert [key for key in known if key not in there] == [], "the code has changed: take the line away, or mend it"
    assert all(known.values())
    assert not known.keys() & {key for m in mutants.sample(list(mutants.TESTS), len(there), 1) for key in m.keys}
