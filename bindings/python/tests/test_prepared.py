"""Prepared requests: values by position and by name, every kind, what is refused, forks, other databases, threads."""

from __future__ import annotations

import copy
import threading
from decimal import Decimal
from typing import Any

import pytest

import kstone


def test_an_update_takes_values_by_position_and_by_name(kstone_db: kstone.Database) -> None:
    add = kstone_db.prepare_update("SET #v = if_not_exists(#v, :zero) + :by", {"#v": "v"}, condition=":by <> :zero")
    assert add.parameters == (":zero", ":by")
    assert add.run("a", [0, 5], returns="UPDATED_NEW") == {"v": 5}
    assert add.run("a", {":by": Decimal("1.5"), ":zero": 0}, returns="UPDATED_NEW") == {"v": Decimal("6.5")}
    assert add.run("a", (0, 1), "s") is None
    assert kstone_db["a", "s"] == {"v": 1}
    with pytest.raises(kstone.ConditionFailedError) as caught:
        add.run("a", [0, 0])
    assert caught.value.item == {"v": Decimal("6.5")}


@pytest.mark.parametrize(
    "value",
    ["", "text", b"", b"\x00\xff", True, None, 0, -1, 2**63, Decimal("0.1"), [], [1, "x", [None]], {}, {"a": {"b": 1}},
     {"x", "y"}, {1, 2}, {b"z"}],
)  # fmt: skip
def test_values_of_every_type_are_bound(kstone_db: kstone.Database, value: Any) -> None:
    kstone_db.prepare_update("SET v = :v").run("a", [value])
    kstone_db.put("b", {"v": value})
    assert kstone_db["a"] == kstone_db["b"]


def test_a_statement_of_many_parameters_runs(kstone_db: kstone.Database) -> None:
    many = 40
    names = ", ".join(f"'a{i}': ?" for i in range(many))
    insert = kstone_db.prepare(f"INSERT INTO items VALUE {{'pk': 'p', {names}}}")
    assert insert.parameters == tuple(f"?{i + 1}" for i in range(many))
    insert.run(list(range(many)))
    assert kstone_db["p"] == {f"a{i}": i for i in range(many)}


def test_puts_and_deletes_are_prepared(kstone_db: kstone.Database) -> None:
    insert = kstone_db.prepare_put("attribute_not_exists(pk)")
    assert insert.run("a", {"v": 1}, sk="s") is None
    with pytest.raises(kstone.ConditionFailedError):
        insert.run("a", {"v": 2}, sk="s")
    assert kstone_db.prepare_put().run("a", {"v": 3}, sk="s", return_old=True) == {"v": 1}
    remove = kstone_db.prepare_delete("#v = :v", {"#v": "v"})
    with pytest.raises(kstone.ConditionFailedError):
        remove.run("a", [1], "s")
    assert remove.run("a", {":v": 3}, "s", return_old=True) == {"v": 3}
    assert len(kstone_db) == 0


def test_a_query_reads_page_after_page(kstone_db: kstone.Database) -> None:
    for n in range(10):
        kstone_db.put("p", {"n": n, "even": n % 2 == 0}, sk=str(n))
    since = kstone_db.prepare_query(
        "pk = :p AND sk >= :s", {"#e": "even"}, filter="#e = :e", projection="n", reverse=True
    )
    given = {":p": "p", ":s": "3", ":e": True}
    assert [item["n"] for item in since.run(given)] == [8, 6, 4]
    assert [item["n"] for item in since.run(given, limit=2)] == [8, 6, 4]
    page = since.run(given, limit=2).page()
    assert [item["n"] for item in since.run(given, token=page.token)] == [6, 4]
    assert kstone_db.prepare_query("pk = :p", keys_only=True).run(["p"]).first() == {"pk": "p", "sk": "0"}


def test_it_runs_on_forks_and_outlives_its_database(kstone_db: kstone.Database) -> None:
    db = kstone.open()
    db["a"] = {"v": 1}
    add, count = db.prepare_update("ADD v :n"), db.prepare("SELECT COUNT(*) AS c FROM items")
    fork = db.fork()
    add.run("a", [1], on=fork)
    assert (db["a"], fork["a"]) == ({"v": 1}, {"v": 2})
    db.close()
    with pytest.raises(kstone.ClosedError):
        add.run("a", [1])
    add.run("a", [1], on=kstone_db)
    assert list(count.run(on=kstone_db)) == [{"c": 1}]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([1], kstone.InvalidError, r"2 parameters \(:a, :b\): found 1"),
        ([1, 2, 3], kstone.InvalidError, "found 3"),
        ({":a": 1}, kstone.InvalidError, ":b has no value"),
        ({":a": 1, ":b": 2, ":c": 3}, kstone.InvalidError, ":c is none of them"),
        ([1, object()], TypeError, r"value \[1\]"),
        ([1, set()], kstone.InvalidError, r"value \[1\]"),
        ("ab", TypeError, "a sequence of values"),
        (7, TypeError, "a sequence of values"),
    ],
)
def test_values_that_do_not_fit_are_refused(
    kstone_db: kstone.Database, given: Any, error: type[Exception], message: str
) -> None:
    update = kstone_db.prepare_update("SET v = :a, w = :b")
    with pytest.raises(error, match=message):
        update.run("k", given)
    assert len(kstone_db) == 0


def test_what_cannot_be_prepared_is_refused(kstone_db: kstone.Database) -> None:
    with pytest.raises(kstone.InvalidError, match="well formed"):
        kstone_db.prepare("SELECT FROM")
    with pytest.raises(kstone.InvalidError, match="Cannot update attribute pk"):
        kstone_db.prepare_update("SET pk = :v")
    with pytest.raises(kstone.InvalidError, match=":v is a value"):
        kstone_db.prepare_update("SET v = :v", {":v": 1})
    with pytest.raises(kstone.InvalidError, match="Query condition missed key schema"):
        kstone_db.prepare_query("sk = :s")
    with pytest.raises(kstone.InvalidError, match="no condition that reads them"):
        kstone_db.prepare_put(names={"#v": "v"})
    update = kstone_db.prepare_update("SET v = :v")
    with pytest.raises(kstone.InvalidError, match="returns is 'OLD'"):
        update.run("a", [1], returns="OLD")
    with pytest.raises(TypeError, match="cannot be pickled"):
        copy.copy(update)


def test_many_threads_run_one_at_once(kstone_db: kstone.Database) -> None:
    add = kstone_db.prepare_update("ADD v :n")

    def work() -> None:
        for _ in range(200):
            add.run("sum", [1])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kstone_db["sum"] == {"v": 800}
