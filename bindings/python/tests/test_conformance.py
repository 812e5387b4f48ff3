"""Runs the suite of bindings/conformance, whose README tells the format, through the public interface.

Where C takes a field that a function has no use for and refuses it, Python has no such argument: the TypeError of a
call with an unknown keyword stands for C's KSTONE_ERR_INVALID. A failed condition always brings its item, so what
`error_item` is without `return_old` is not looked at. An update has one bag for both its expressions.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import kstone

SUITE = Path(__file__).resolve().parents[2] / "conformance"
NAMES = {
    -1: "KSTONE_ERR_MISUSE",
    -2: "KSTONE_ERR_INVALID",
    -3: "KSTONE_ERR_CONDITION_FAILED",
    -4: "KSTONE_ERR_CONFLICT",
    -5: "KSTONE_ERR_LIMIT",
    -6: "KSTONE_ERR_TYPE",
    -7: "KSTONE_ERR_CORRUPT",
    -8: "KSTONE_ERR_IO",
    -9: "KSTONE_ERR_PANIC",
    -10: "KSTONE_ERR_TRIMMED",
}

Arguments = dict[str, Any]
"""What a step says; whatever reads a member takes it out, so that what is left is what the runner does not know."""


def cases(directory: Path, at_least: int) -> list[Any]:
    files = sorted(path for path in directory.glob("*.json") if path.name != "schema.json")
    found = [(file.stem, case) for file in files for case in json.loads(file.read_text(encoding="utf-8"))["cases"]]
    assert len(found) >= at_least, f"{directory} has {len(found)} cases"
    return [pytest.param(case, id=f"{section}: {case['name']}") for section, case in found]


@pytest.mark.parametrize("prepared", [False, True], ids=["as text", "prepared"])
@pytest.mark.parametrize("case", cases(SUITE, 247))
def test_case(case: Arguments, prepared: bool, tmp_path: Path) -> None:
    run_case(case, tmp_path, prepared)


@pytest.mark.parametrize("case", cases(SUITE / "wrong", 41))
def test_a_wrong_case_fails(case: Arguments, tmp_path: Path) -> None:
    """A runner that checks nothing would pass all cases but these."""
    with pytest.raises(AssertionError, match=r"^step [0-9]+, "):
        run_case(case, tmp_path)


def run_case(case: Arguments, files: Path, prepared: bool = False) -> None:
    case = json.loads(json.dumps(case))
    case.pop("name")
    runner = (PreparingRunner if prepared else Runner)(case.pop("options", {}), files)
    for number, step in enumerate(case.pop("steps")):
        operation = step["op"]
        try:
            runner.run(step)
        except AssertionError as error:
            raise AssertionError(f"step {number}, {operation}: {error}") from error
    assert case == {}


class Runner:
    """The databases, tokens and files of one case."""

    def __init__(self, options: Arguments, files: Path) -> None:
        self.databases = {"main": open_database(options)}
        self.accounts: dict[str, kstone.Account] = {}
        self.tokens: dict[str, bytes | None] = {}
        self.files = files

    def run(self, step: Arguments) -> None:
        expected = step.pop("expect", {})
        name = step.pop("db", "main")
        operation: Callable[[kstone.Database, Arguments], Arguments] = getattr(self, "do_" + step.pop("op"))
        asked_for_item = "return_old" in json.dumps(step)
        if "as" in step:
            step["db"] = name
        try:
            found = {"status": "KSTONE_OK", **operation(self.databases[name], step)}
        except kstone.Error as error:
            found = {
                "status": NAMES[error.code],
                "name": error.name,
                "message": error.message,
                "index": -1 if error.index is None else error.index,
                "error_item": None if error.item is None else typed_item(error.item),
            }
        except TypeError as error:
            if "unexpected keyword argument" not in str(error):
                raise
            found = {"status": "KSTONE_ERR_INVALID", "name": "ValidationException"}
            step.clear()
        step.pop("db", None)
        assert step == {} or found["status"] != "KSTONE_OK", f"the runner does not know {step}"
        self.check({"status": "KSTONE_OK", **expected}, found, asked_for_item)

    def check(self, expected: Arguments, found: Arguments, asked_for_item: bool) -> None:
        assert expected.pop("status") == found["status"], found
        if expected.pop("any_order", False):
            for member in ("items", "keys"):
                for lists in (expected, found):
                    lists[member] = sorted(lists.get(member, []), key=json.dumps)
                if member not in expected:
                    expected.pop(member)
            expected = {member: value for member, value in expected.items() if value != []}
        if not asked_for_item:
            expected.pop("error_item", None)
        if "message" in expected:
            assert expected.pop("message") in found.get("message", "")
        if "token" in expected:
            assert expected.pop("token") == (found.get("token") is not None)
        for member, value in expected.items():
            assert found.get(member) == value, f"{member}: {found}"

    # One item.

    def do_put(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.put(item=item(step.pop("item")), **key(step))
        return {}

    def do_put_item(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.put_item(item(step.pop("item")))
        return {}

    def do_get(self, db: kstone.Database, step: Arguments) -> Arguments:
        return looked_up("item", db.get(**key(step)), typed_item)

    def do_delete(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.delete(**key(step))
        return {}

    def do_put_if(self, db: kstone.Database, step: Arguments) -> Arguments:
        return returned(db.put(item=item(step.pop("item")), **key(step), **condition(step), return_old=True))

    def do_delete_if(self, db: kstone.Database, step: Arguments) -> Arguments:
        return returned(db.delete(**key(step), **condition(step), return_old=True))

    def do_update(self, db: kstone.Database, step: Arguments) -> Arguments:
        return returned(db.update(**key(step), **update(step), returns=step.pop("return", "NONE")))

    def do_put_json(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.put_json(text=step.pop("json"), plain=step.pop("plain", False), **key(step))
        return {}

    def do_get_json(self, db: kstone.Database, step: Arguments) -> Arguments:
        return looked_up("json", db.get_json(plain=step.pop("plain", False), **key(step)), str)

    # Many items.

    def do_query(self, db: kstone.Database, step: Arguments) -> Arguments:
        return self.page(db.query, step)

    def do_scan(self, db: kstone.Database, step: Arguments) -> Arguments:
        return self.page(db.scan, step)

    def page(self, read: Callable[..., kstone.Results], step: Arguments) -> Arguments:
        save, count_only = step.pop("save_token", None), step.pop("count", False)
        page = read(page_size=step.pop("limit", 0), **self.spec(step)).page(count_only=count_only)
        if save is not None:
            self.tokens[save] = page.token
        return {**listed(page.items), "count": page.count, "scanned": page.scanned, "token": page.token}

    def do_execute(self, db: kstone.Database, step: Arguments) -> Arguments:
        save, token = step.pop("save_token", None), step.pop("token", None)
        values = numbered(step)
        page = db.execute(step.pop("statement"), values, token=None if token is None else self.token(token)).page()
        if save is not None:
            self.tokens[save] = page.token
        return {**listed(page.items), "count": page.count, "scanned": page.scanned, "token": page.token}

    def do_iterate(self, db: kstone.Database, step: Arguments) -> Arguments:
        read: Callable[..., kstone.Results] = db.query if "pk" in step or "key_expr" in step else db.scan
        items = list(read(limit=step.pop("limit", None), **self.spec(step), **step).as_of_now())
        return {**listed(items), "count": len(items)}

    def do_cursor(self, db: kstone.Database, step: Arguments) -> Arguments:
        read: Callable[..., kstone.Results] = db.query if "pk" in step or "key_expr" in step else db.scan
        moves = step.pop("moves")
        cursor = read(limit=step.pop("limit", None), **self.spec(step), **step).cursor()
        items = []
        for move in moves:
            found = getattr(cursor, move.pop("op"))(**key(move))
            if found is not None:
                items.append(found)
        return {**listed(items), "count": len(items)}

    def do_count(self, db: kstone.Database, step: Arguments) -> Arguments:
        return {"count": db.count()}

    def spec(self, step: Arguments) -> Arguments:
        spec: Arguments = {name: key_part(step.pop(name)) for name in ("pk",) if name in step}
        ends = [key_part(step.pop(name)) for name in ("sk1", "sk2") if name in step]
        match step.pop("sk_op", None):
            case None:
                assert ends == []
            case "BETWEEN":
                spec["between"] = tuple(ends)
            case operator:
                (spec["sk" if operator == "EQ" else operator.lower()],) = ends
        for name in ("index", "filter", "projection", "reverse", "keys_only", "segment", "segments"):
            if name in step:
                spec[name] = step.pop(name)
        if "key_expr" in step:
            spec["key"] = step.pop("key_expr")
        if "params" in step:
            spec["params"] = item(step.pop("params"))
        if "start_after" in step:
            spec["start_after"] = item(step.pop("start_after"))
        if "token" in step:
            spec["token"] = self.token(step.pop("token"))
        return spec

    def token(self, token: str | dict[str, str]) -> bytes | None:
        return self.tokens[token] if isinstance(token, str) else base64.b64decode(token["base64"])

    def do_batch(self, db: kstone.Database, step: Arguments) -> Arguments:
        batch = db.transaction() if step.pop("atomic", False) else db.batch()
        for operation in step.pop("operations"):
            match operation.pop("op"):
                case "put":
                    batch.put(item=item(operation.pop("item")), **key(operation), **condition(operation))
                case "put_item":
                    batch.put_item(item(operation.pop("item")), **condition(operation))
                case "update":
                    batch.update(**key(operation), **update(operation))
                case "delete":
                    batch.delete(**key(operation), **condition(operation))
                case "check":
                    batch.check(**key(operation), **condition(operation))
                case "get":
                    batch.get(**key(operation))
                case "execute":
                    batch.execute(operation.pop("statement"), numbered(operation))
                case unknown:
                    pytest.fail(f"the runner does not know {unknown}")
            assert operation == {}
        items = batch.run()
        return {"items": [None if found is None else typed_item(found) for found in items], "count": len(items)}

    def do_get_many(self, db: kstone.Database, step: Arguments) -> Arguments:
        items = db.get_many([whole_key(operation) for operation in step.pop("operations")])
        return {"items": [None if found is None else typed_item(found) for found in items], "count": len(items)}

    def do_put_many(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.put_many([(whole_key(operation), item(operation.pop("item"))) for operation in step.pop("operations")])
        return {}

    # The database.

    def do_configure(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.configure(step.pop("schema", None))
        return {}

    def do_snapshot_save(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.snapshot_save(self.files / step.pop("file"))
        return {}

    def do_snapshot_load(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.snapshot_load(self.files / step.pop("file"))
        return {}

    def do_export_json(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.export_json(self.files / step.pop("file"))
        return {}

    def do_import_json(self, db: kstone.Database, step: Arguments) -> Arguments:
        return {"count": db.import_json(self.files / step.pop("file")).loaded}

    def do_set_time(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.set_time(step.pop("seconds"))
        return {}

    def do_purge_expired(self, db: kstone.Database, step: Arguments) -> Arguments:
        return {"count": db.purge_expired()}

    def do_stream_read(self, db: kstone.Database, step: Arguments) -> Arguments:
        return {"records": list(map(record, db.stream_read(step.pop("after"), step.pop("max"))))}

    def do_flush(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.flush()
        return {}

    def do_compact(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.compact()
        return {}

    def do_clear(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.clear()
        return {}

    def do_open(self, db: kstone.Database, step: Arguments) -> Arguments:
        self.databases[step.pop("as")] = open_database(step.pop("options", {}))
        return {}

    def do_fork(self, db: kstone.Database, step: Arguments) -> Arguments:
        self.databases[step.pop("as")] = db.fork()
        return {}

    def do_close(self, db: kstone.Database, step: Arguments) -> Arguments:
        db.close()
        return {}

    # Accounts.

    def account(self, step: Arguments) -> kstone.Account:
        return self.accounts[step.pop("account", "main")]

    def do_account_open(self, db: kstone.Database, step: Arguments) -> Arguments:
        texts: Any = "CLASSIC" if step.pop("classic", False) else "CURRENT"
        self.accounts[step.pop("as", "main")] = kstone.Account(texts=texts)
        return {}

    def do_account_close(self, db: kstone.Database, step: Arguments) -> Arguments:
        self.account(step).close()
        return {}

    def do_account_fork(self, db: kstone.Database, step: Arguments) -> Arguments:
        self.accounts[step.pop("as")] = self.account(step).fork()
        return {}

    def do_account_save(self, db: kstone.Database, step: Arguments) -> Arguments:
        self.account(step).snapshot_save(self.files / step.pop("file"))
        return {}

    def do_account_load(self, db: kstone.Database, step: Arguments) -> Arguments:
        self.account(step).snapshot_load(self.files / step.pop("file"))
        return {}

    def do_account_time(self, db: kstone.Database, step: Arguments) -> Arguments:
        self.account(step).set_time(step.pop("seconds"))
        return {}

    def do_call(self, db: kstone.Database, step: Arguments) -> Arguments:
        body = step.pop("body", step.pop("text", None))
        answer = self.account(step).call(step.pop("operation"), body)
        return {"http": answer.status, "answer": answer.json()}

    def do_table(self, db: kstone.Database, step: Arguments) -> Arguments:
        self.databases[step.pop("as")] = self.account(step).table(step.pop("table"))
        return {}


class PreparingRunner(Runner):
    """Does with prepared requests what it can."""

    def do_update(self, db: kstone.Database, step: Arguments) -> Arguments:
        if not step["expr"]:
            # The error names the parameter of the function.
            return super().do_update(db, step)
        given, place, returns = update(step), key(step), step.pop("return", "NONE")
        names, values = names_and_values(given)
        request = db.prepare_update(given["expression"], names, condition=given.get("condition"))
        return returned(request.run(place["pk"], values, place.get("sk"), returns=returns))

    def do_put_if(self, db: kstone.Database, step: Arguments) -> Arguments:
        given, place, attributes = condition(step), key(step), item(step.pop("item"))
        names, values = names_and_values(given)
        request = db.prepare_put(given.get("condition"), names)
        return returned(request.run(place["pk"], attributes, values, place.get("sk"), return_old=True))

    def do_delete_if(self, db: kstone.Database, step: Arguments) -> Arguments:
        given, place = condition(step), key(step)
        names, values = names_and_values(given)
        request = db.prepare_delete(given.get("condition"), names)
        return returned(request.run(place["pk"], values, place.get("sk"), return_old=True))

    def do_execute(self, db: kstone.Database, step: Arguments) -> Arguments:
        save, token = step.pop("save_token", None), step.pop("token", None)
        values, request = numbered(step), db.prepare(step.pop("statement"))
        page = request.run(values, token=None if token is None else self.token(token)).page()
        if save is not None:
            self.tokens[save] = page.token
        return {**listed(page.items), "count": page.count, "scanned": page.scanned, "token": page.token}


def names_and_values(given: Arguments) -> tuple[Arguments | None, Arguments]:
    """What is prepared, and what a run gives."""
    params = given.get("params") or {}
    names = {name: params[name] for name in params if name.startswith("#")}
    return names or None, {name: params[name] for name in params if not name.startswith("#")}


def open_database(options: Arguments) -> kstone.Database:
    options = dict(options)
    db = kstone.open(
        options.pop("schema", None),
        memtable_max_records=options.pop("memtable_max_records", 0),
        memory_max_bytes=options.pop("memory_max_bytes", 0),
        eviction="LRU" if options.pop("evict", False) else "NONE",
    )
    assert options == {}
    return db


def key(step: Arguments) -> Arguments:
    return {name: key_part(step.pop(name)) for name in ("pk", "sk") if name in step}


def whole_key(operation: Arguments) -> kstone.Key:
    operation.pop("op")
    parts = key(operation)
    return (parts["pk"], parts["sk"]) if "sk" in parts else parts["pk"]


def key_part(part: str | dict[str, Any]) -> kstone.KeyPart:
    if isinstance(part, str):
        return part
    return part["repeat"] * part["times"] if "repeat" in part else base64.b64decode(part["base64"])


def condition(step: Arguments) -> Arguments:
    cond = step.pop("cond", None)
    if cond is None:
        return {}
    cond.pop("return_old", None)
    taken = {"condition": cond.pop("expr"), "params": item(cond.pop("params")) if "params" in cond else None}
    assert cond == {}
    return taken


def numbered(step: Arguments) -> list[Any]:
    params = item(step.pop("params", {}))
    return [params.pop(f"?{number}") for number in range(1, len(params) + 1)]


def update(step: Arguments) -> Arguments:
    taken = condition(step)
    params = {**(taken.pop("params", None) or {}), **item(step.pop("params", {}))}
    return {"expression": step.pop("expr"), "params": params or None, **taken}


def looked_up(member: str, found: Any, show: Callable[[Any], Any]) -> Arguments:
    return {"status": "KSTONE_NOT_FOUND"} if found is None else {member: show(found)}


def returned(found: kstone.Item | None) -> Arguments:
    return {"item": None if found is None else typed_item(found)}


def listed(items: list[kstone.Item]) -> Arguments:
    def shown(part: kstone.KeyPart) -> Any:
        return part if isinstance(part, str) else {"base64": base64.b64encode(part).decode()}

    keys = [[shown(part) for part in (item.pk, item.sk) if part is not None] for item in items]
    return {"items": list(map(typed_item, items)), "keys": keys}


def record(change: kstone.Change) -> Arguments:
    shown: Arguments = {"event": change.event, "keys": {"pk": typed(change.pk)}}
    if change.sk is not None:
        shown["keys"]["sk"] = typed(change.sk)
    for member, image in (("new", change.new), ("old", change.old)):
        if image is not None:
            shown[member] = typed_item(image)
    for member, removed in (("by_ttl", change.by_ttl), ("by_eviction", change.by_eviction)):
        if removed:
            shown[member] = True
    return shown


def item(typed_values: dict[str, Any]) -> dict[str, Any]:
    """What an item in DynamoDB's JSON is in Python."""
    return {name: value(typed_value) for name, typed_value in typed_values.items()}


def value(typed_value: dict[str, Any]) -> Any:
    ((kind, content),) = typed_value.items()
    of_kind: dict[str, Callable[[Any], Any]] = {
        "S": str,
        "N": Decimal,
        "B": base64.b64decode,
        "BOOL": bool,
        "NULL": lambda _: None,
        "L": lambda values: list(map(value, values)),
        "M": item,
        "SS": set,
        "NS": lambda values: set(map(Decimal, values)),
        "BS": lambda values: set(map(base64.b64decode, values)),
    }
    return of_kind[kind](content)


def typed_item(attributes: dict[str, Any]) -> dict[str, Any]:
    """DynamoDB's JSON of what came out of Python, where True is not 1."""
    return {name: typed(attribute) for name, attribute in attributes.items()}


def typed(found: Any) -> dict[str, Any]:
    match found:
        case bool():
            return {"BOOL": found}
        case None:
            return {"NULL": True}
        case str():
            return {"S": found}
        case int() | Decimal():
            return {"N": format(found, "d" if isinstance(found, int) else "f")}
        case bytes():
            return {"B": base64.b64encode(found).decode()}
        case list():
            return {"L": list(map(typed, found))}
        case dict():
            return {"M": typed_item(found)}
        case set():
            ((kind, _),) = typed(next(iter(found))).items()
            return {f"{kind}S": [typed(element)[kind] for element in sorted(found)]}
        case _:
            raise AssertionError(f"{found!r} is no value of an item")
