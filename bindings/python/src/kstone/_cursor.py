"""Cursors: a place among the items of one moment, which goes forward, back, and to any key."""

from __future__ import annotations

from threading import Lock
from typing import Any

from kstone._calls import NULL, Call, Handle, Owner, read_item
from kstone._item import Item, KeyPart, key_bytes
from kstone._native import ffi, lib


class Cursor(Owner):
    """A place among the items of a query or scan, as they were when `Results.cursor` made it.

    Each move returns the item that it comes to, or None where there is none: before the first item or behind the last
    one, from where the cursor goes back. With `reverse` in the query, the order is from the greatest sort key down.

    It outlives the database, and keeps the items of its moment in memory until it is closed or gone. Threads may share
    it; one move is made after the other.

    >>> import kstone
    >>> db = kstone.open()
    >>> for day in ("mon", "sat", "tue"):
    ...     db.put("log", {}, sk=day)
    >>> cursor = db.query("log").cursor()
    >>> cursor.seek("n").sk, cursor.prev().sk, cursor.prev(), cursor.next().sk, cursor.last().sk
    ('sat', 'mon', None, 'mon', 'tue')
    """

    __slots__ = ("_lock",)

    _what = "cursor"

    def __init__(self, handle: Handle) -> None:
        super().__init__(handle)
        self._lock = Lock()

    @property
    def item(self) -> Item | None:
        """The item that the cursor is on."""
        with self._lock:
            found = lib.kstone_cursor_item(self._handle)
            return None if found == NULL else read_item(found)

    def first(self) -> Item | None:
        """Go to the first item."""
        return self._go(lib.kstone_cursor_first)

    def last(self) -> Item | None:
        """Go to the last item."""
        return self._go(lib.kstone_cursor_last)

    def next(self) -> Item | None:
        """Go to the next item."""
        return self._go(lib.kstone_cursor_next)

    def prev(self) -> Item | None:
        """Go to the item before."""
        return self._go(lib.kstone_cursor_prev)

    def seek(self, sk: KeyPart | None = None, *, pk: KeyPart | None = None) -> Item | None:
        """Go to the first item at this key or behind it.

        `pk` is needed for a cursor of a scan. Raises `InvalidError` where it is missing there, where it is that of
        another partition than the query's, and for a cursor over an index; `LimitError` for a key that is too long. The
        cursor stays where it was then.
        """
        partition, sort = b"" if pk is None else key_bytes(pk), key_bytes(sk)
        return self._go(lib.kstone_cursor_seek, partition, len(partition), sort, len(sort))

    def _go(self, call: Call, *arguments: Any) -> Item | None:
        with self._lock:
            found = ffi.new("kstone_item **")
            status = self._run(call, *arguments, found)
            return read_item(found[0]) if status == lib.KSTONE_OK else None
