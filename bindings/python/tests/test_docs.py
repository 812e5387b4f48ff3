"""What the documentation shows is what happens."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import kstone

BINDING = Path(__file__).resolve().parents[1]
ROOT = BINDING.parents[1]


def modules() -> list[ModuleType]:
    names = [module.name for module in pkgutil.iter_modules(kstone.__path__, "kstone.")]
    return [kstone, *(importlib.import_module(name) for name in names if not name.endswith("._native"))]


def test_examples_of_docstrings() -> None:
    finder = doctest.DocTestFinder()
    public = {name: getattr(kstone, name) for name in kstone.__all__}
    tests = [test for name, thing in {"kstone": kstone, **public}.items() for test in finder.find(thing, name)]
    run = [test for test in tests if test.examples]
    assert len(run) >= 10
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    for test in run:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_everything_public_has_a_docstring() -> None:
    for name in kstone.__all__:
        thing = getattr(kstone, name)
        if not inspect.isclass(thing) and not inspect.isfunction(thing):
            continue
        assert thing.__doc__, name
        for member, value in vars(thing).items():
            if inspect.isfunction(value) and not member.startswith("_"):
                assert value.__doc__, f"{name}.{member}"


def test_every_module_says_what_it_is() -> None:
    assert all(module.__doc__ for module in modules())


def test_examples_of_the_readme() -> None:
    failed, run = doctest.testfile(str(BINDING / "README.md"), module_relative=False, encoding="utf-8")
    assert (failed, run > 5) == (0, True)


@pytest.mark.parametrize("arguments", [[], [str(ROOT / "examples/data/airports.csv")]])
def test_the_example_prints_what_the_readme_shows(arguments: list[str]) -> None:
    program = ROOT / "examples/python/airports.py"
    done = subprocess.run(
        [sys.executable, str(program), "--no-times", *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    assert f"```\n{done.stdout}```\n" in (BINDING / "README.md").read_text(encoding="utf-8")
    assert done.stderr == ""


def test_the_guides_requests_are_answered_as_in_every_language() -> None:
    program = ROOT / "examples/python/getting_started.py"
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == (ROOT / "examples/data/getting-started.txt").read_text(encoding="utf-8")
    assert done.stderr == ""
