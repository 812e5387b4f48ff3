"""Several operations as one call: a `Transaction` is all of them or none, a `Batch` does one after the other.

Threads: operations may be added from any thread, one waits for another. Both hold copies of what they are given.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, ClassVar, Self

from kstone._calls import Call, Condition, Owner, bag, item_of, owned
from kstone._codec import encode
from kstone._errors import BY_CODE, ClosedError, MisuseError
from kstone._item import Attributes, Item, KeyPart, key_bytes, numbered, text_bytes
from kstone._native import lib
from kstone._results import page_items, read_page


class Lookup:
    """What a `get` of a transaction or batch finds, once that has run."""

    __slots__ = ("_item", "_known")

    def __init__(self) -> None:
        self._item: Item | None = None
        self._known = False

    @property
    def item(self) -> Item | None:
        """The item, or None where there is none. Raises `MisuseError` before the operations have run."""
        if not self._known:
            raise MisuseError("the operations have not run yet: read the item after the with block, or after run()")
        return self._item

    def _found(self, item: Item | None) -> None:
        self._item, self._known = item, True


class Operations(Owner):
    """What transactions and batches have in common: operations are added, and run at the end of the with block."""

    __slots__ = ("_count", "_database", "_lock", "_lookups")

    _flags: ClassVar[int]

    def __init__(self, database: Owner) -> None:
        super().__init__(owned(lib.kstone_batch_new()))
        self._database = database
        self._lock = threading.Lock()
        self._count = 0
        self._lookups: list[Lookup] = []

    def put(
        self,
        pk: KeyPart,
        item: Attributes,
        sk: KeyPart | None = None,
        *,
        condition: str | None = None,
        params: Attributes | None = None,
    ) -> None:
        """Add a `Database.put`."""
        cond = Condition(condition, bag(params))
        self._add("put", lib.kstone_batch_put, pk, sk, item_of(encode(item)), cond=cond)

    def put_item(self, item: Attributes, *, condition: str | None = None, params: Attributes | None = None) -> None:
        """Add a `Database.put_item`, with a condition or without."""
        cond = Condition(condition, bag(params))
        with self._lock:
            self._added("put_item", lib.kstone_batch_put_item(self._handle, item_of(encode(item)), cond.pointer))

    def update(
        self,
        pk: KeyPart,
        expression: str,
        params: Attributes | None = None,
        sk: KeyPart | None = None,
        *,
        condition: str | None = None,
    ) -> None:
        """Add a `Database.update`; its condition reads the same parameters."""
        text, cond = text_bytes(expression), Condition(condition)
        self._add("update", lib.kstone_batch_update, pk, sk, text, len(text), bag(params), cond=cond)

    def delete(
        self,
        pk: KeyPart,
        sk: KeyPart | None = None,
        *,
        condition: str | None = None,
        params: Attributes | None = None,
    ) -> None:
        """Add a `Database.delete`."""
        self._add("delete", lib.kstone_batch_delete, pk, sk, cond=Condition(condition, bag(params)))

    def check(self, pk: KeyPart, condition: str, params: Attributes | None = None, sk: KeyPart | None = None) -> None:
        """Add a condition that must hold for an item which is not written. It counts as a write."""
        text_bytes(condition)
        self._add("check", lib.kstone_batch_check, pk, sk, cond=Condition(condition, bag(params)))

    def get(self, pk: KeyPart, sk: KeyPart | None = None) -> Lookup:
        """Add a `Database.get`, whose item is there when the operations have run."""
        lookup = Lookup()
        self._add("get", lib.kstone_batch_get, pk, sk, lookup=lookup)
        return lookup

    def execute(self, statement: str, params: Sequence[Any] = ()) -> None:
        """Add a PartiQL statement about one item, whose whole key it names; `run` returns what its SELECTs found.

        Statements and other operations do not mix. In a transaction either all of them are SELECTs or none, and
        "EXISTS(SELECT * FROM items WHERE pk = 'a' AND stock > 0)" is a condition.
        """
        text, bag_of_numbered = text_bytes(statement), bag(numbered(params))
        with self._lock:
            self._added("execute", lib.kstone_batch_execute(self._handle, text, len(text), bag_of_numbered))

    def run(self) -> list[Item | None]:
        """Do the operations, and return what the gets, or the SELECTs, found, in their order.

        At the end of a with block this happens by itself. It may be called again, to try again, say.
        Raises what the operations raise, with `Error.index` saying which one it was, counted from 0 as added.
        """
        with self._lock:
            if self.closed:
                raise ClosedError(f"the {self._what} is closed")
            page = self._database._out("kstone_page", lib.kstone_batch_run, self._handle, self._flags)
            items = list(page_items(read_page(page).items))
            for lookup, item in zip(self._lookups, items, strict=False):
                lookup._found(item)
            return items

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._count > 0:
                self.run()
        finally:
            self.close()

    def __len__(self) -> int:
        """How many operations were added."""
        return self._count

    def _add(
        self,
        what: str,
        call: Call,
        pk: KeyPart,
        sk: KeyPart | None,
        *rest: Any,
        cond: Condition | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        partition, sort = key_bytes(pk), key_bytes(sk)
        if cond is not None:
            rest = (*rest, cond.pointer)
        with self._lock:
            self._added(what, call(self._handle, partition, len(partition), sort, len(sort), *rest))
            if lookup is not None:
                self._lookups.append(lookup)

    def _added(self, what: str, status: int) -> None:
        if status < 0 and self.closed:
            raise ClosedError(f"the {self._what} is closed")
        if status < 0:
            raise BY_CODE[status](f"operation {self._count} ({what}): {_REFUSED[status]}", index=self._count)
        self._count += 1


# The functions that add have no error object: kstone.h says what their statuses mean.
_REFUSED = {
    lib.KSTONE_ERR_INVALID: (
        "its partition key, an expression or the statement is empty, a parameter is no :value or #name, "
        "or statements and other operations are mixed"
    ),
    lib.KSTONE_ERR_LIMIT: "a key is too long, a partition key has up to 2048 bytes and a sort key up to 1024",
}


class Transaction(Operations):
    """Operations that are done at one moment, or not at all: what `Database.transaction` gives.

    Up to 100 operations, each on an item of its own. Gets and conditions see the items as they were before it.
    """

    __slots__ = ()

    _what = "transaction"
    _flags = lib.KSTONE_BATCH_ATOMIC


class Batch(Operations):
    """Operations that are done one after the other: what `Database.batch` gives.

    The first that fails ends the run, and what was done before it stays done. There may be any number: all of them are
    one call.
    """

    __slots__ = ()

    _what = "batch"
    _flags = 0
