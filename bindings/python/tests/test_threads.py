"""Threads and processes: the GIL released, eight threads on one database, closing under way, os.fork."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

import kstone

THREADS = 8


def in_threads(work: Callable[[int], None]) -> None:
    """Run work(0), work(1) … at once; the first exception is raised here."""
    barrier = threading.Barrier(THREADS)

    def run(number: int) -> None:
        barrier.wait()
        work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(run, number) for number in range(THREADS)]:
            done.result()


def test_a_call_lets_other_threads_run() -> None:
    """No thread is made to give up the GIL here, so the other one runs only while a call releases it."""
    with kstone.open() as db:
        for i in range(20_000):
            db[f"k{i}"] = {}
        ran = threading.Event()
        before = sys.getswitchinterval()
        sys.setswitchinterval(1_000_000)
        try:
            go = threading.Lock()
            go.acquire()

            def other() -> None:
                with go:
                    ran.set()

            thread = threading.Thread(target=other)
            thread.start()
            go.release()
            calls = 0
            while not ran.is_set() and calls < 1_000:
                db.scan(filter="attribute_exists(v)").count()
                calls += 1
            assert ran.is_set(), f"{calls} calls, and no other thread ran"
        finally:
            sys.setswitchinterval(before)
            thread.join()


def test_eight_threads_on_one_database(kstone_db: kstone.Database) -> None:
    db, rounds = kstone_db, 300
    db["counter"] = {"n": 0}

    def work(number: int) -> None:
        for i in range(rounds):
            db.put(f"own{number}", {"i": i, "text": "x" * i}, sk=f"{i:04}")
            db.put("shared", {"by": number, "again": number}, sk=f"{i % 10}")
            db.update("counter", "ADD n :one", {":one": 1})
            shared = db["shared", f"{i % 10}"]
            assert shared["by"] == shared["again"]
            assert db[f"own{number}", f"{i:04}"] == {"i": i, "text": "x" * i}
            if i % 50 == 0:
                assert [item["i"] for item in db.query(f"own{number}", page_size=7)] == list(range(i + 1))
                with db.transaction() as transaction:
                    transaction.put(f"done{number}", {"i": i})
                    transaction.update("counter", "ADD m :one", {":one": 1})
                assert db.scan().count() >= i
            if i % 100 == 99:
                db.delete(f"own{number}", f"{i:04}")
                db.put(f"own{number}", {"i": i, "text": "x" * i}, sk=f"{i:04}")

    in_threads(work)
    assert db["counter"] == {"n": THREADS * rounds, "m": THREADS * rounds // 50}
    assert all(db.query(f"own{number}").count() == rounds for number in range(THREADS))


def test_of_eight_threads_one_wins_a_condition(kstone_db: kstone.Database) -> None:
    wins: list[int] = []
    losses: list[bool] = []

    def work(number: int) -> None:
        for i in range(50):
            try:
                kstone_db.put(f"seat{i}", {"by": number}, condition="attribute_not_exists(pk)")
            except kstone.ConditionFailedError as error:
                losses.append(error.item is not None and error.item["by"] != number)
            else:
                wins.append(i)

    in_threads(work)
    assert sorted(wins) == list(range(50))
    assert losses == [True] * 50 * (THREADS - 1)


def test_eight_threads_add_to_one_transaction(kstone_db: kstone.Database) -> None:
    transaction = kstone_db.transaction()

    def work(number: int) -> None:
        for i in range(12):
            transaction.put(f"{number}-{i}", {})

    in_threads(work)
    transaction.run()
    assert len(kstone_db) == THREADS * 12


def test_threads_may_share_results(kstone_db: kstone.Database) -> None:
    for i in range(100):
        kstone_db.put("p", {"i": i}, sk=f"{i:03}")
    results = kstone_db.query("p", filter="i >= :i", params={":i": 50}, page_size=3)

    def work(_: int) -> None:
        for _ in range(20):
            assert [item["i"] for item in results] == list(range(50, 100))

    in_threads(work)


def test_closing_under_way_ends_in_an_error_and_not_in_a_crash() -> None:
    for _ in range(20):
        db = kstone.open()
        db["k"] = {"v": "x" * 1000}

        def work(number: int, db: kstone.Database = db) -> None:
            if number == 0:
                db.close()
                return
            for _ in range(1_000_000):
                try:
                    assert db["k"] == {"v": "x" * 1000}
                    db["k"] = {"v": "x" * 1000}
                    assert db.scan().first() == {"v": "x" * 1000}
                except kstone.ClosedError:
                    return

        in_threads(work)
        assert db.closed


FORKING = """
import os, kstone
db = kstone.open()
db["a"] = {"v": 1}
child = os.fork()
if child == 0:
    db["a"] = {"v": 2}
    for i in range(20_000):
        db["b", str(i)] = {}
    right = db["a"] == {"v": 2} and len(db) == 20_001
    db.compact()
    db.close()
    os._exit(0 if right else 1)
assert os.waitpid(child, 0)[1] == 0
assert db["a"] == {"v": 1}
assert "b" not in db
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no os.fork here")
@pytest.mark.parametrize("options", ["", "background_compaction=True"])
def test_a_forked_process_has_a_copy_of_its_own(options: str) -> None:
    code = FORKING.replace("open()", f"open({options})")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_database_that_is_open_at_exit_does_no_harm() -> None:
    code = "import kstone; db = kstone.open(background_compaction=True); db['a'] = {}; it = iter(db.scan())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
