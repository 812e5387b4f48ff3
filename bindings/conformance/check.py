"""Checks the files of the suite without running them: their form, by schema.json; that names are told apart; and that
what is expected is written as kstone writes it, so that runners need only compare for equality.

    python3 check.py        prints each mistake with its place, and exits 1 where there is one
"""

import base64
import json
import re
import sys
from decimal import Context
from pathlib import Path

import jsonschema

HERE = Path(__file__).parent
CANONICAL_NUMBER = re.compile(r"0|-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?")
ORDER_OF_SETS = {
    "SS": str.encode,
    "NS": Context(prec=40).create_decimal,
    "BS": lambda text: base64.b64decode(text, validate=True),
}


def values_of(expect):
    """Every typed value, at any depth, in what a step expects."""
    if isinstance(expect, list):
        for element in expect:
            yield from values_of(element)
    elif isinstance(expect, dict):
        for member in expect.values():
            if isinstance(member, dict) and len(member) == 1:
                yield from member.items()
            yield from values_of(member)


def is_canonical(kind, value):
    if kind == "N":
        return CANONICAL_NUMBER.fullmatch(value) is not None
    if kind in ORDER_OF_SETS:
        numbers_are_canonical = kind != "NS" or all(is_canonical("N", number) for number in value)
        return numbers_are_canonical and value == sorted(value, key=ORDER_OF_SETS[kind])
    return True


def keys_of(expect):
    """Every key in the list of keys that a step expects."""
    return [part for key in expect.get("keys", []) if isinstance(key, list) for part in key]


def is_text_in_base64(key):
    if not isinstance(key, dict) or "base64" not in key:
        return False
    try:
        base64.b64decode(key["base64"], validate=True).decode()
    except ValueError:
        return False
    return True


def mistakes_of(path, validator):
    suite = json.loads(path.read_text(encoding="utf-8"))
    for error in validator.iter_errors(suite):
        best = jsonschema.exceptions.best_match([error])
        yield f"{best.json_path}: {best.message[:300]}"
    if suite["section"] != path.stem:
        yield f"the section is {suite['section']}"
    names = [case["name"] for case in suite["cases"]]
    yield from (f"two cases are called {name}" for name in sorted(set(names)) if names.count(name) > 1)
    for case in suite["cases"]:
        for number, step in enumerate(case["steps"]):
            for kind, value in values_of(step.get("expect")):
                if not is_canonical(kind, value):
                    yield f"{case['name']}: step {number}: {kind} {value} is not as kstone writes it"
            for key in filter(is_text_in_base64, keys_of(step.get("expect", {}))):
                yield f"{case['name']}: step {number}: the key {key['base64']} is text, and expected as text"


def main():
    schema = json.loads((HERE / "schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    paths = sorted(path for path in HERE.rglob("*.json") if path.name != "schema.json")
    mistakes = [f"{path.name}: {mistake}" for path in paths for mistake in mistakes_of(path, validator)]
    for mistake in mistakes:
        print(mistake)
    print(f"{len(paths)} files, {len(mistakes)} mistakes")
    return 1 if mistakes or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
