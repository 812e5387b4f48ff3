"""The pytest plugin, in pytest runs of its own."""

from __future__ import annotations

import pytest


def test_every_test_has_an_empty_database_which_is_closed_afterwards(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        seen = []

        def test_first(kstone_db):
            assert len(kstone_db) == 0
            kstone_db["a"] = {}
            seen.append(kstone_db)

        def test_second(kstone_db):
            assert len(kstone_db) == 0
            assert seen[0].closed
        """
    )
    pytester.runpytest().assert_outcomes(passed=2)


def test_every_test_has_a_fork_of_what_was_filled_once(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        filled = []

        @pytest.fixture(scope="session")
        def kstone_schema():
            return {"ttl_attribute": "until"}

        @pytest.fixture(scope="session")
        def kstone_fill(kstone_base):
            filled.append(True)
            for i in range(1000):
                kstone_base[f"user#{i}"] = {"n": i, "until": 4_000_000_000}
        """
    )
    pytester.makepyfile(
        """
        import conftest
        import pytest

        @pytest.mark.parametrize("i", range(20))
        def test_fork(kstone_fork, i):
            assert len(kstone_fork) == 1000
            assert "mine" not in kstone_fork
            kstone_fork["mine"] = {}
            del kstone_fork[f"user#{i}"]
            kstone_fork.set_time(4_000_000_001)
            assert list(kstone_fork) == ["mine"]
            assert conftest.filled == [True]
        """
    )
    pytester.runpytest().assert_outcomes(passed=20)


def test_without_a_filling_the_fork_is_empty(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(kstone_fork): assert len(kstone_fork) == 0")
    pytester.runpytest().assert_outcomes(passed=1)


def test_the_fixtures_are_listed(pytester: pytest.Pytester) -> None:
    pytester.runpytest("--fixtures").stdout.fnmatch_lines(["*kstone_db*", "*kstone_fork*"])
