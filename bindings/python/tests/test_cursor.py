"""Cursors, counts, and snapshots through open files."""

from __future__ import annotations

import io
import pickle
import random
import threading
from bisect import bisect_left
from pathlib import Path

import pytest

import kstone


@pytest.fixture
def letters(kstone_db: kstone.Database) -> kstone.Database:
    for at, sk in enumerate("bdfhj"):
        kstone_db.put("p", {"n": at}, sk=sk)
    kstone_db.put("q", {"n": 99}, sk="z")
    return kstone_db


def sk_of(item: kstone.Item | None) -> object:
    return None if item is None else item.sk


def test_a_cursor_goes_forward_back_and_to_any_key(letters: kstone.Database) -> None:
    cursor = letters.query("p").cursor()
    letters.clear()
    assert cursor.item is None
    assert cursor.prev() is None
    assert [sk_of(cursor.next()) for _ in range(7)] == ["b", "d", "f", "h", "j", None, None]
    assert [sk_of(cursor.prev()) for _ in range(7)] == ["j", "h", "f", "d", "b", None, None]
    assert sk_of(cursor.seek("e")) == "f" == sk_of(cursor.item)
    assert sk_of(cursor.seek("d", pk="p")) == "d"
    assert sk_of(cursor.seek()) == "b"
    assert cursor.seek("k") is None
    assert sk_of(cursor.prev()) == "j"
    assert (sk_of(cursor.first()), sk_of(cursor.last())) == ("b", "j")
    item = cursor.item
    letters.close()
    cursor.close()
    assert item == {"n": 4}
    assert cursor.closed
    with pytest.raises(kstone.ClosedError):
        cursor.next()


def test_a_cursor_knows_reverse_filters_and_whole_tables(letters: kstone.Database) -> None:
    down = letters.query("p", reverse=True, filter="n <> :n", params={":n": 2}).cursor()
    assert [sk_of(down.next()) for _ in range(5)] == ["j", "h", "d", "b", None]
    assert sk_of(down.seek("f")) == "d"
    everything = letters.scan().cursor()
    assert sk_of(everything.seek("h", pk="p")) == "h"
    keys = set()
    item = everything.first()
    while item is not None:
        keys.add(item.key)
        item = everything.next()
    assert len(keys) == 6


def test_random_moves_are_those_of_a_list(kstone_db: kstone.Database) -> None:
    dice = random.Random(7)
    keys = sorted({f"{dice.randrange(2000):04}" for _ in range(700)})
    for sk in keys:
        kstone_db.put("p", {}, sk=sk)
    cursor, place = kstone_db.query("p").cursor(), -1
    for _ in range(2000):
        match dice.randrange(8):
            case 0:
                sought = f"{dice.randrange(2100):04}"
                found, place = cursor.seek(sought), bisect_left(keys, sought)
            case 1 | 2 | 3:
                found, place = cursor.prev(), max(place - 1, -1)
            case _:
                found, place = cursor.next(), min(place + 1, len(keys))
        assert sk_of(found) == (keys[place] if 0 <= place < len(keys) else None)


def test_what_a_cursor_cannot_do_is_refused(letters: kstone.Database) -> None:
    for results in (letters.query("p", limit=1), letters.query("p", page_size=1), letters.scan(token=b"t")):
        with pytest.raises(kstone.InvalidError):
            results.cursor()
    cursor = letters.query("p").cursor()
    cursor.seek("d")
    with pytest.raises(kstone.InvalidError):
        cursor.seek("z", pk="q")
    with pytest.raises(kstone.LimitError):
        cursor.seek("x" * 1025)
    with pytest.raises(TypeError):
        cursor.seek(1)  # type: ignore[arg-type]
    with pytest.raises(kstone.InvalidError):
        letters.scan().cursor().seek("b")
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(cursor)
    assert sk_of(cursor.item) == "d"


def test_threads_may_share_a_cursor(kstone_db: kstone.Database) -> None:
    for n in range(500):
        kstone_db.put("p", {}, sk=f"{n:04}")
    cursor = kstone_db.query("p").cursor()
    seen: list[object] = []

    def move() -> None:
        while (item := cursor.next()) is not None:
            seen.append(item.sk)

    threads = [threading.Thread(target=move) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, seen)) == [f"{n:04}" for n in range(500)]


def test_numbers_come_one_by_one(letters: kstone.Database) -> None:
    assert letters.count() == letters.stat("items") == 6
    stats = letters.stats()
    for name in stats:
        if name != "ssts_per_stripe_mean":
            assert letters.stat(name) == stats[name], name
    for wrong in ("", "nothing", "ssts_per_stripe_mean"):
        with pytest.raises(kstone.InvalidError):
            letters.stat(wrong)


class Few(io.BytesIO):
    """A file that takes and gives few bytes at a time."""

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        return super().write(data[:1000])

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 7))


def test_a_snapshot_goes_through_an_open_file(letters: kstone.Database, tmp_path: Path) -> None:
    for n in range(500):
        letters.put("many", {"n": n}, sk=f"{n}")
    file = Few()
    letters.snapshot_save_to(file)
    letters.snapshot_save(tmp_path / "file")
    assert file.getvalue() == (tmp_path / "file").read_bytes()
    file.seek(0)
    again = kstone.open()
    again.snapshot_load_from(file)
    assert again.count() == 506
    with pytest.raises(kstone.InvalidError):
        again.snapshot_load_from(io.BytesIO(file.getvalue()))
    with (tmp_path / "file").open("rb") as opened:
        kstone.open().snapshot_load_from(opened)
    with pytest.raises(kstone.CorruptError):
        kstone.open().snapshot_load_from(io.BytesIO(file.getvalue()[:-1]))


def test_what_a_file_raises_comes_out_and_nothing_is_loaded(letters: kstone.Database) -> None:
    class Broken:
        def write(self, data: bytes, /) -> int:
            raise ZeroDivisionError(len(data))

        def read(self, size: int, /) -> bytes:
            raise KeyboardInterrupt

    class TooMany:
        def read(self, size: int, /) -> bytes:
            return b"x" * (size + 1)

    class Empty:
        def read(self, size: int, /) -> None:
            return None

    with pytest.raises(ZeroDivisionError):
        letters.snapshot_save_to(Broken())
    empty = kstone.open()
    with pytest.raises(KeyboardInterrupt):
        empty.snapshot_load_from(Broken())
    with pytest.raises(ValueError, match="were asked for"):
        empty.snapshot_load_from(TooMany())
    with pytest.raises(BlockingIOError):
        empty.snapshot_load_from(Empty())
    assert empty.count() == 0


def test_a_file_may_use_the_database_but_not_wait_for_its_own_load(letters: kstone.Database) -> None:
    saved = io.BytesIO()
    letters.snapshot_save_to(saved)
    db = kstone.open()
    refused: list[Exception] = []

    class Meddler(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert db.get("p", "b") is None
            try:
                db.fork()
            except kstone.InvalidError as error:
                refused.append(error)
            return super().read(size)

    db.snapshot_load_from(Meddler(saved.getvalue()))
    assert refused
    assert db.count() == 6
