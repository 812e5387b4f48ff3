"""Databases. `Database` says what holds of threads and processes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pickle import loads
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

from kstone._batch import Batch, Transaction
from kstone._calls import (
    BUFFER_BYTES,
    NOT_FOUND,
    NULL,
    Call,
    Condition,
    Owner,
    bag,
    check,
    give_back,
    item_of,
    lend,
    new_error,
    owned,
    read_item,
    text_of,
)
from kstone._codec import encode
from kstone._errors import InvalidError
from kstone._item import Attributes, Item, Key, KeyPart, key_bytes, key_part, numbered, split_key, text_bytes, within
from kstone._native import ffi, lib
from kstone._prepared import (
    PreparedDelete,
    PreparedPut,
    PreparedQuery,
    PreparedStatement,
    PreparedUpdate,
    prepare,
)
from kstone._results import RawPage, Request, Results, Rows, page_items, read_page
from kstone._schema import Schema
from kstone._stream import Change, changes_of
from kstone._streams import Readable, Writable, from_file, to_file

Returns: TypeAlias = Literal["NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"]
"""What `Database.update` returns: nothing, the item before or after, or only what the update's paths lead to."""

UINT32_MAX = 2**32 - 1
UINT64_MAX = 2**64 - 1
INT64_MAX = 2**63 - 1
_RETURNS: dict[str, int] = {
    name: getattr(lib, f"KSTONE_RETURN_{name}") for name in ("NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW")
}
_EVICTIONS: dict[str, int] = {"NONE": lib.KSTONE_EVICT_NONE, "LRU": lib.KSTONE_EVICT_LRU}


class Database(Owner):
    """A table of items in memory, each under a partition key and, where it has one, a sort key.

    `kstone.open` makes one. It costs microseconds and a few KiB; nothing is written to disk, and all is gone when it is
    closed, at the end of a with block, or with the last reference to it.

    It is used like a dict, where `db[key]` is all there is to say: a key is a partition key or a tuple of partition and
    sort key, each str (which stands for its UTF-8) or bytes. The methods take the two apart.

    A call that raises has changed nothing; after `close` every one raises `ClosedError`. Items go in and come out as
    copies.

    Any number of threads may use a database at once; the GIL is released in every call. A child of `os.fork` has a copy
    of it, its own from then on: fork while no other thread is inside a call, which might leave a lock locked in the
    copy, or let the child open its own. With `background_compaction` the library's own thread may be inside one.

    >>> import kstone
    >>> with kstone.open() as db:
    ...     db["ada"] = {"name": "Ada", "born": 1815}
    ...     db["ada", "1843"] = {"title": "Notes"}
    ...     db["ada"]["born"], ("ada", "1843") in db, len(db)
    (1815, True, 2)
    """

    __slots__ = ()

    _what = "database"

    def __repr__(self) -> str:
        return f"<kstone.Database, {'closed' if self.closed else 'open'}, at {id(self):#x}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Like a dict.

    def __getitem__(self, key: Key) -> Item:
        """The item under a key; `KeyError` where there is none."""
        item = self.get(*split_key(key))
        if item is None:
            raise KeyError(key)
        return item

    def __setitem__(self, key: Key, item: Attributes) -> None:
        """Put an item in the place of what is there."""
        pk, sk = split_key(key)
        self.put(pk, item, sk)

    def __delitem__(self, key: Key) -> None:
        """Delete an item; `KeyError` where there is none. `delete` does not mind."""
        if self.delete(*split_key(key), return_old=True) is None:
            raise KeyError(key)

    def __contains__(self, key: Key) -> bool:
        """Whether there is an item; nothing is copied."""
        partition, sort = map(key_bytes, split_key(key))
        length = ffi.new("size_t *")
        found = self._run(lib.kstone_get_bytes, partition, len(partition), sort, len(sort), NULL, 0, length)
        return found != NOT_FOUND

    def __iter__(self) -> Iterator[Key]:
        """All keys, as `scan` finds them."""
        return (item.key for item in self.scan(keys_only=True))

    def __len__(self) -> int:
        """How many items there are. They are counted one by one, tens of nanoseconds each."""
        return self.scan().count()

    # One item.

    def get(self, pk: KeyPart, sk: KeyPart | None = None) -> Item | None:
        """The item under a key, or None.

        Raises `InvalidError` where the partition key is empty, `LimitError` where a key is too long.
        """
        partition, sort = key_bytes(pk), key_bytes(sk)
        scratch = lend()
        error, length, buffer, capacity = scratch.error, scratch.length, scratch.buffer, BUFFER_BYTES
        try:
            while True:
                status = lib.kpy_get(
                    self._handle, partition, len(partition), sort, len(sort), buffer, capacity, length, error
                )
                if status != 0:
                    if status < 0:
                        raise self._failure(error)
                    return None
                size = length[0]
                if size <= capacity:
                    attributes = loads(ffi.buffer(buffer, size))  # noqa: S301 - made by pickled.c
                    break
                buffer, capacity = ffi.new("char[]", size), size
        finally:
            give_back(scratch)
        item = Item(attributes)
        item.pk = key_part(partition)
        item.sk = key_part(sort) if sort else None
        return item

    def get_many(self, keys: Iterable[Key]) -> list[Item | None]:
        """The items under many keys in one call, in their order; None where there is none.

        A key is what `db[key]` takes, and may come twice. The items need not be of one moment: a `transaction` is for
        that. Raises as `get`, with `Error.index` saying which key it was.

        >>> import kstone
        >>> db = kstone.open()
        >>> db.put_many([("a", {"n": 1}), (("b", "s"), {"n": 2})])
        >>> db.get_many(["a", "c", ("b", "s")])
        [{'n': 1}, None, {'n': 2}]
        """
        parts, lengths = _joined(keys)
        out, size = ffi.new("char **"), ffi.new("size_t *")
        self._run(lib.kpy_get_many, parts, lengths, len(lengths) // 2, out, size)
        pickle = bytes(ffi.buffer(ffi.gc(out[0], lib.kpy_free_text), size[0]))
        return list(page_items(pickle))

    def get_attribute(self, pk: KeyPart, path: str, sk: KeyPart | None = None, default: Any = None) -> Any:
        """One attribute of the item under a key, without the rest: what `path` leads to ("tags[0]", "address.city").

        `default` where there is no item, or no such attribute. Raises as `get`, and `InvalidError` where `path` is no
        path.

        >>> import kstone
        >>> db = kstone.open()
        >>> db.put("a", {"tags": ["new", "red"]})
        >>> db.get_attribute("a", "tags[1]")
        'red'
        """
        partition, sort, text = key_bytes(pk), key_bytes(sk), text_bytes(path)
        chars = ffi.from_buffer(text)
        length, buffer, capacity = ffi.new("size_t *"), ffi.new("char[]", BUFFER_BYTES), BUFFER_BYTES
        while True:
            status = self._run(
                lib.kpy_get_attribute,
                partition, len(partition), sort, len(sort), chars, len(text), buffer, capacity, length,
            )  # fmt: skip
            if status == NOT_FOUND:
                return default
            if length[0] <= capacity:
                return loads(ffi.buffer(buffer, length[0]))  # noqa: S301 - made by many.c
            capacity = length[0]
            buffer = ffi.new("char[]", capacity)

    def put_many(self, items: Iterable[tuple[Key, Attributes]]) -> None:
        """Store many items in one call, in their order: of several under one key the last one stays.

        Each is stored by itself, so that readers may see some before the others; all are looked at before the first is
        stored. Raises as `put`, with `Error.index` saying which one it was, and TypeError for what is no pair: pass the
        `items()` of a dict. Nothing is stored then, but where the memory limit is reached on the way.
        """
        keys, bodies = [], []
        for pair in items:
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise TypeError(f"put_many takes pairs of a key and an item, as dict.items() gives, not {pair!r:.60}")
            keys.append(pair[0])
            bodies.append(encode(pair[1]))
        parts, lengths = _joined(keys)
        body_lengths = ffi.new("size_t[]", [len(body) for body in bodies])
        self._run(lib.kpy_put_many, parts, lengths, b"".join(bodies), body_lengths, len(bodies))

    def put_item(self, item: Attributes) -> None:
        """Store an item under the key that its own attributes are.

        They are those that the schema names as the table's key, and "pk" and "sk" where it names none. On a condition:
        `Batch.put_item`.

        Raises as `put`, and `InvalidError` naming the key attribute that is missing, empty or of another type.

        >>> import kstone
        >>> user, score = {"name": "user", "type": "S"}, {"name": "score", "type": "N"}
        >>> db = kstone.open({"partition_key": user, "sort_key": score})
        >>> db.put_item({"user": "ann", "score": 12, "won": True})
        >>> db.get("ann", "12")
        {'score': 12, 'user': 'ann', 'won': True}
        """
        self._run(lib.kstone_put_item, item_of(encode(item)))

    def put(
        self,
        pk: KeyPart,
        item: Attributes,
        sk: KeyPart | None = None,
        *,
        condition: str | None = None,
        params: Attributes | None = None,
        return_old: bool = False,
    ) -> Item | None:
        """Store an item, in the place of what is there.

        With `condition` only where that holds for the item that is there: "attribute_not_exists(pk)" where there must
        be none. With `return_old` what was replaced is returned, and None otherwise.

        Raises TypeError for a value of a type that no attribute has, such as float; `InvalidError` for a key, value or
        expression that cannot be; `LimitError` for what is too large; `ConditionFailedError`.

        >>> import kstone
        >>> db = kstone.open()
        >>> db.put("seat#7", {"who": "Ada"}, condition="attribute_not_exists(pk)")
        >>> db.put("seat#7", {"who": "Bob"}, condition="who = :me", params={":me": "Bob"})
        Traceback (most recent call last):
            ...
        kstone.ConditionFailedError: The conditional request failed
        """
        partition, sort, body = key_bytes(pk), key_bytes(sk), encode(item)
        if condition is None and params is None and not return_old:
            scratch = lend()
            error = scratch.error
            try:
                status = lib.kstone_put_bytes(
                    self._handle, partition, len(partition), sort, len(sort), body, len(body), error
                )
                if status != 0:
                    raise self._failure(error)
            finally:
                give_back(scratch)
            return None
        cond = Condition(condition, bag(params))
        return self._returned(lib.kstone_put_if, partition, sort, item_of(body), cond=cond, wanted=return_old)

    def delete(
        self,
        pk: KeyPart,
        sk: KeyPart | None = None,
        *,
        condition: str | None = None,
        params: Attributes | None = None,
        return_old: bool = False,
    ) -> Item | None:
        """Delete an item. Without `condition` it need not be there.

        With `return_old` what was deleted is returned, and None otherwise. Raises as `put`.
        """
        if condition is None and params is None and not return_old:
            partition, sort = key_bytes(pk), key_bytes(sk)
            self._run(lib.kstone_delete, partition, len(partition), sort, len(sort))
            return None
        cond = Condition(condition, bag(params))
        return self._returned(lib.kstone_delete_if, key_bytes(pk), key_bytes(sk), cond=cond, wanted=return_old)

    def update(
        self,
        pk: KeyPart,
        expression: str,
        params: Attributes | None = None,
        sk: KeyPart | None = None,
        *,
        condition: str | None = None,
        returns: Returns = "NONE",
    ) -> Item | None:
        """Change an item by an update expression; where there is none, it is made.

        `params` says what the ":values" and "#names" of expression and condition stand for; all of them must be used.
        Returns what `returns` asks for, or None where that is nothing. Raises as `put`.

        >>> import kstone
        >>> db = kstone.open()
        >>> db.update("page", "ADD visits :n", {":n": 1}, returns="UPDATED_NEW")
        {'visits': 1}
        """
        if returns not in list(_RETURNS):
            raise InvalidError(f"returns is {returns!r}, and may be one of {', '.join(_RETURNS)}")
        text, cond = text_bytes(expression), Condition(condition)
        return self._returned(
            lib.kstone_update, key_bytes(pk), key_bytes(sk), text, len(text), bag(params),
            cond=cond, after=(_RETURNS[returns],), wanted=returns != "NONE",
        )  # fmt: skip

    # Many items.

    def query(
        self,
        pk: KeyPart | None = None,
        *,
        sk: KeyPart | None = None,
        lt: KeyPart | None = None,
        le: KeyPart | None = None,
        gt: KeyPart | None = None,
        ge: KeyPart | None = None,
        between: tuple[KeyPart, KeyPart] | None = None,
        begins_with: KeyPart | None = None,
        key: str | None = None,
        index: str | None = None,
        filter: str | None = None,  # noqa: A002 - DynamoDB's word
        projection: str | None = None,
        params: Attributes | None = None,
        reverse: bool = False,
        keys_only: bool = False,
        limit: int | None = None,
        page_size: int = 0,
        token: bytes | None = None,
        start_after: Attributes | None = None,
    ) -> Results:
        """The items of one partition, in the order of their sort keys' bytes.

        Which of them: all, or those whose sort key is `sk`, is less than `lt`, and so on; `between` includes both its
        ends. One of these may be given. `key` says all of it as an expression instead, also for keys that are numbers
        in an `index`: "#s = :s AND age > :a".

        `filter` lets items through, `projection` returns parts of them, `params` says what their ":values" and "#names"
        stand for. `limit` ends after that many items were found. `page_size` is how many are examined for a page
        (DynamoDB's Limit; 0: up to 1 MiB of them), and `token` goes on where a page ended. `start_after` begins behind
        the item of a key instead, which need not exist: the attributes of the table's key ("pk" and "sk" in an untyped
        table) and, with `index`, those of the index's key.

        Nothing is read yet: see `Results`.
        """
        operands = {"EQ": sk, "LT": lt, "LE": le, "GT": gt, "GE": ge, "BEGINS_WITH": begins_with}
        given: list[tuple[str, tuple[KeyPart, ...]]]
        given = [(operator, (operand,)) for operator, operand in operands.items() if operand is not None]
        if between is not None:
            if not isinstance(between, tuple) or len(between) != 2:
                raise TypeError("between is a pair of sort keys, the first and the last")
            given.append(("BETWEEN", between))
        if len(given) > 1:
            raise InvalidError(f"one condition on the sort key is possible, not {len(given)}")
        operator, ends = given[0] if given else ("ANY", ())
        bounds = dict(zip(("sk1", "sk2"), map(key_bytes, ends), strict=False))
        request = Request(
            texts={
                "pk": None if pk is None else key_bytes(pk),
                **bounds,
                "key_expr": None if key is None else text_bytes(key),
                **_texts(index, filter, projection, token),
            },
            numbers={
                "sk_op": getattr(lib, f"KSTONE_SK_{operator}"),
                "flags": _flags(reverse=reverse, keys_only=keys_only),
            },
            params=None if params is None else encode(params, "params are"),
            start_after=None if start_after is None else encode(start_after, "a key is"),
        )
        return Results(self, lib.kstone_query, request, _limit(limit), within("page_size", page_size, UINT32_MAX))

    def scan(
        self,
        *,
        index: str | None = None,
        filter: str | None = None,  # noqa: A002 - DynamoDB's word
        projection: str | None = None,
        params: Attributes | None = None,
        keys_only: bool = False,
        segment: int = 0,
        segments: int = 0,
        limit: int | None = None,
        page_size: int = 0,
        token: bytes | None = None,
        start_after: Attributes | None = None,
    ) -> Results:
        """All items, in an order of the library's own, in which a partition lies together, ordered by sort key.

        `segments` divides them, so that as many threads may read a `segment` each, from 0. The other arguments are
        those of `query`. Nothing is read yet: see `Results`.
        """
        request = Request(
            texts=_texts(index, filter, projection, token),
            numbers={
                "flags": _flags(reverse=False, keys_only=keys_only),
                "segment": within("segment", segment, UINT32_MAX),
                "segments": within("segments", segments, UINT32_MAX),
            },
            params=None if params is None else encode(params, "params are"),
            start_after=None if start_after is None else encode(start_after, "a key is"),
        )
        return Results(self, lib.kstone_scan, request, _limit(limit), within("page_size", page_size, UINT32_MAX))

    def execute(self, statement: str, params: Sequence[Any] = (), *, token: bytes | None = None) -> Rows:
        """Execute a PartiQL statement; `params` are the values of its question marks, in order.

        The table is called items, or as the schema says. `token` goes on where a page of the same statement ended.

        Raises `InvalidError` where the statement is not well-formed, with line and column, or names a table or index
        that is not there; `ConditionFailedError` where the WHERE clause of an UPDATE or DELETE does not hold, and for
        an INSERT of a key that is there, whose `name` is "DuplicateItemException"; `LimitError`; TypeError for a
        parameter that no attribute can be.

        >>> import kstone
        >>> db = kstone.open()
        >>> _ = db.execute("INSERT INTO items VALUE {'pk': ?, 'born': ?}", ["ada", 1815])
        >>> db["ada"]
        {'born': 1815}
        >>> list(db.execute("SELECT born FROM items WHERE pk = ?", ["ada"]))
        [{'born': 1815}]
        """
        text, params_of = text_bytes(statement), encode(numbered(params))
        _check_token(token)

        def fetch(token: bytes) -> RawPage:
            bag = item_of(params_of) if params_of else NULL
            page = self._out("kstone_page", lib.kstone_execute, text, len(text), bag, token, len(token))
            return read_page(page)

        return Rows(fetch, token or b"")

    def prepare(self, statement: str) -> PreparedStatement:
        """Read a PartiQL statement once, to be run many times: see `PreparedStatement`. Raises as `execute`."""
        return PreparedStatement(self, prepare(self, lib.KSTONE_PREPARE_STATEMENT, statement))

    def prepare_update(
        self, expression: str, names: Attributes | None = None, *, condition: str | None = None
    ) -> PreparedUpdate:
        """Read an update once, to be run many times: see `PreparedUpdate`.

        `names` says what the "#names" of expression and condition stand for; values are given at every run. Raises as
        `update`, as far as no value is needed to tell.
        """
        handle = prepare(self, lib.KSTONE_PREPARE_UPDATE, expression, names=names, condition=condition)
        return PreparedUpdate(self, handle)

    def prepare_put(self, condition: str | None = None, names: Attributes | None = None) -> PreparedPut:
        """Read the condition of a put once, to be run many times: see `PreparedPut`. Raises as `put`."""
        return PreparedPut(self, prepare(self, lib.KSTONE_PREPARE_PUT, names=names, condition=condition))

    def prepare_delete(self, condition: str | None = None, names: Attributes | None = None) -> PreparedDelete:
        """Read the condition of a delete once, to be run many times: see `PreparedDelete`. Raises as `delete`."""
        return PreparedDelete(self, prepare(self, lib.KSTONE_PREPARE_DELETE, names=names, condition=condition))

    def prepare_query(
        self,
        key: str,
        names: Attributes | None = None,
        *,
        index: str | None = None,
        filter: str | None = None,  # noqa: A002 - DynamoDB's word
        projection: str | None = None,
        reverse: bool = False,
        keys_only: bool = False,
    ) -> PreparedQuery:
        """Read a query once, to be run many times: see `PreparedQuery`.

        `key` is what `query` calls so: "pk = :p AND sk >= :from". `names` says what "#names" stand for; values are
        given at every run. The rest is as in `query`. Raises as `query`, as far as no value is needed to tell.
        """
        texts = {"key_expr": text_bytes(key), **_texts(index, filter, projection, None)}
        numbers = {"flags": _flags(reverse=reverse, keys_only=keys_only)}
        params = None if names is None else encode(names, "names are")
        request = Request(texts=texts, numbers=numbers, params=params)
        return PreparedQuery(self, prepare(self, lib.KSTONE_PREPARE_QUERY, request=request))

    def transaction(self) -> Transaction:
        """Operations that are done at one moment or not at all, at the end of the with block.

        Where the block raises, none is done. Where an operation fails, `Error.index` says which; `ConditionFailedError`
        stands for a condition that does not hold.

        >>> import kstone
        >>> db = kstone.open()
        >>> db["ada"] = db["bob"] = {"cents": 100}
        >>> with db.transaction() as transfer:
        ...     transfer.update("ada", "SET cents = cents - :c", {":c": 30}, condition="cents >= :c")
        ...     transfer.update("bob", "SET cents = cents + :c", {":c": 30})
        >>> db["ada"], db["bob"]
        ({'cents': 70}, {'cents': 130})
        """
        return Transaction(self)

    def batch(self) -> Batch:
        """Any number of writes and gets that are done one after the other, at the end of the with block.

        >>> import kstone
        >>> db = kstone.open()
        >>> with db.batch() as batch:
        ...     batch.put("ada", {"born": 1815})
        ...     ada, bob = batch.get("ada"), batch.get("bob")
        >>> ada.item, bob.item
        ({'born': 1815}, None)
        """
        return Batch(self)

    # JSON.

    def put_json(self, pk: KeyPart, text: str, sk: KeyPart | None = None, *, plain: bool = False) -> None:
        """Put an item that is written in DynamoDB's JSON, {"age":{"N":"30"}}, or as {"age":30} with `plain`.

        Raises as `put`; the message says line and column of what is no JSON.
        """
        partition, sort, raw = key_bytes(pk), key_bytes(sk), text_bytes(text)
        self._run(lib.kstone_put_json, partition, len(partition), sort, len(sort), raw, len(raw), _json_flags(plain))

    def get_json(self, pk: KeyPart, sk: KeyPart | None = None, *, plain: bool = False) -> str | None:
        """The item under a key as JSON, or None. Plain JSON has no bytes and no sets: base64 text, and lists."""
        partition, sort = key_bytes(pk), key_bytes(sk)
        return self._text(lib.kstone_get_json, partition, len(partition), sort, len(sort), _json_flags(plain))

    # The database.

    def fork(self) -> Database:
        """A database of its own that holds what this one holds now, and shares its memory.

        What is written to one never shows in the other; either may be closed before the other. It has the same options,
        schema and time, and an empty change stream. Costs some tens of microseconds, however many items there are.

        >>> import kstone
        >>> base = kstone.open()
        >>> base["ada"] = {"born": 1815}
        >>> with base.fork() as db:
        ...     del db["ada"]
        >>> base["ada"]
        {'born': 1815}
        """
        return Database(self._out("kstone_db", lib.kstone_fork))

    def configure(self, schema: Schema | None) -> None:
        """Put a schema in the place of the one it has, None for none. New indexes are filled before this returns.

        Reads and writes of other threads go on meanwhile. Raises `InvalidError` for a schema that is none.
        """
        text = b"" if schema is None else json.dumps(schema).encode()
        self._run(lib.kstone_configure, text or NULL, len(text))

    def stream_read(self, after: int = 0, max: int = 1000) -> list[Change]:  # noqa: A002 - the word of kstone.h
        """The changes after a sequence number, oldest first; none where nothing has changed since.

        At most `max`, 1000, or about 1 MiB of them. Begin with 0, and go on after `Change.sequence` of the last. Raises
        `TrimmedError` where the stream has dropped some: read the items anew, then go on where the message says.
        `InvalidError` where the schema asks for no stream.

        >>> import kstone
        >>> db = kstone.open({"stream": {"view_type": "NEW_IMAGE"}})
        >>> db["ada"] = {"born": 1815}
        >>> [(change.event, change.pk, change.new) for change in db.stream_read()]
        [('INSERT', 'ada', {'born': 1815})]
        """
        first, most = within("after", after, UINT64_MAX), within("max", max, UINT32_MAX)
        text = self._text(lib.kstone_stream_read, first, most)
        return [] if text is None else changes_of(text)

    def snapshot_save(self, path: str | os.PathLike[str]) -> None:
        """Write the database as it is now to a file, in the place of one that is there.

        A crash at any moment leaves the old file or the new one. Raises `FileError`, naming the file and the cause, and
        `InvalidError` for a path that cannot be. Other threads read and write meanwhile.
        """
        name = os.fsencode(path)
        self._run(lib.kstone_snapshot_save, name, len(name))

    def snapshot_load(self, path: str | os.PathLike[str]) -> None:
        """Fill an empty database from a snapshot: schema and items appear at once, or nothing does.

        Raises `CorruptError` where any byte of the file is wrong, with the place, `FileError` where it cannot be read,
        `InvalidError` where the database holds an item.
        """
        name = os.fsencode(path)
        self._run(lib.kstone_snapshot_load, name, len(name))

    def snapshot_save_to(self, file: Writable) -> None:
        """Write the bytes of a snapshot to an open binary file, or to whatever has such a `write`.

        It may use the database. What it raises ends the save and is raised here.
        """
        with to_file(file) as write:
            self._run(lib.kstone_snapshot_save_to, write, NULL)

    def snapshot_load_from(self, file: Readable) -> None:
        """Fill an empty database with the bytes of a snapshot from an open binary file, up to its end.

        What its `read` raises ends the load and is raised here; otherwise as `snapshot_load`. It may read and write the
        database, but not load, fork or configure it: that is `InvalidError`.
        """
        with from_file(file) as read:
            self._run(lib.kstone_snapshot_load_from, read, NULL)

    def export_json(self, path: str | os.PathLike[str]) -> None:
        """Write every item to a file as a line of DynamoDB's JSON, as the database is at one moment.

        The key is in each line as the attributes pk and sk. Raises as `snapshot_save`.
        """
        name = os.fsencode(path)
        self._run(lib.kstone_export_json, name, len(name))

    def import_json(
        self, path: str | os.PathLike[str], *, pk: str | None = None, sk: str | None = None, skip: bool = False
    ) -> Import:
        """Put an item for each line of a file of DynamoDB's JSON, such as an export.

        `pk` and `sk` name the attributes that are the key: where `pk` is None, they are pk and sk, which an item may
        lack; otherwise every item must have those that are named. A bad line ends the import before anything was put,
        with `CorruptError`, or is skipped and counted where `skip` says so. Raises `FileError` where the file cannot be
        read, `InvalidError` for a path or a name that cannot be.
        """
        name = os.fsencode(path)
        spec = ffi.new("kstone_import_spec *")
        spec.struct_size = ffi.sizeof("kstone_import_spec")
        spec.flags = lib.KSTONE_IMPORT_SKIP if skip else 0
        pk_buffer, sk_buffer = (None if text is None else ffi.new("char[]", text_bytes(text)) for text in (pk, sk))
        if pk_buffer is not None:
            spec.pk_name, spec.pk_name_len = pk_buffer, len(pk_buffer) - 1
        if sk_buffer is not None:
            spec.sk_name, spec.sk_name_len = sk_buffer, len(sk_buffer) - 1
        loaded, skipped, reasons = ffi.new("size_t *"), ffi.new("size_t *"), ffi.new("char **")
        self._run(lib.kstone_import_json, name, len(name), spec, loaded, skipped, reasons)
        return Import(loaded[0], skipped[0], text_of(owned(reasons[0])).splitlines())

    def set_time(self, epoch_seconds: int) -> None:
        """Fix the time that decides what has expired, in seconds since 1970; 0 goes back to the clock. For tests."""
        self._run(lib.kstone_set_time, within("epoch_seconds", epoch_seconds, INT64_MAX, least=-INT64_MAX))

    def purge_expired(self) -> int:
        """Remove the items whose time has passed, which no read shows any more; how many those were."""
        purged = ffi.new("size_t *")
        self._run(lib.kstone_purge_expired, purged)
        return int(purged[0])

    def clear(self) -> None:
        """Delete all items."""
        self._run(lib.kstone_clear)

    def flush(self) -> None:
        """Turn what was written into sorted runs now. It happens by itself; for tests and measurements."""
        self._run(lib.kstone_flush)

    def compact(self) -> None:
        """Merge the sorted runs now, which happens by itself: after many deletes it gives memory back sooner."""
        self._run(lib.kstone_compact)

    def count(self) -> int:
        """How many items there are, expired ones that were not removed yet included; `len` leaves those out."""
        return self.stat("items")

    def stat(self, name: str) -> int:
        """One number of `stats`, such as "total_bytes". Raises `InvalidError` for a name that is none."""
        statistic = getattr(lib, f"KSTONE_STAT_{name.upper()}", None)
        if statistic is None:
            raise InvalidError(f"{name!r} is no statistic")
        value = ffi.new("uint64_t *")
        self._run(lib.kstone_stat, statistic, value)
        return int(value[0])

    def stats(self) -> dict[str, float]:
        """Numbers about the database, such as "items" and "total_bytes". Costs a look at each of 256 stripes."""
        numbers: dict[str, float] = json.loads(self._text(lib.kstone_stats_json) or "{}")
        return numbers

    def _returned(
        self,
        call: Call,
        partition: bytes,
        sort: bytes,
        *before: Any,
        cond: Condition,
        after: tuple[Any, ...] = (),
        wanted: bool,
    ) -> Item | None:
        """A write that may return an item."""
        out = ffi.new("kstone_item **") if wanted else NULL
        self._run(call, partition, len(partition), sort, len(sort), *before, cond.pointer, *after, out)
        return read_item(owned(out[0])) if wanted and out[0] != NULL else None


@dataclass(frozen=True, slots=True)
class Import:
    """What `Database.import_json` did."""

    loaded: int
    """How many items were put."""

    skipped: int
    """How many lines were bad."""

    reasons: list[str]
    """What was wrong with the first ten of these."""


def open(  # noqa: A001 - kstone.open, as sqlite3.connect or shelve.open
    schema: Schema | None = None,
    *,
    memtable_max_records: int = 0,
    memory_max_bytes: int = 0,
    eviction: Literal["NONE", "LRU"] = "NONE",
    background_compaction: bool = False,
) -> Database:
    """An empty database in memory.

    `schema` says its indexes, expiry and change stream. `memtable_max_records` is after how many writes one of the 256
    stripes sorts what it has collected (0: 1000). `memory_max_bytes` is the most that it may take (0: no limit; at
    least 1,048,576), as "total_bytes" of `Database.stats` counts; at the limit `eviction` removes items, or writes
    raise `LimitError`. With `background_compaction` a thread of the library's own does the merging of runs.

    Raises `InvalidError` for a schema or option that cannot be. It costs microseconds. The database is yours: close it,
    use it in a with block, or let it go.
    """
    if eviction not in list(_EVICTIONS):
        raise InvalidError(f"eviction is {eviction!r}, and may be one of {', '.join(_EVICTIONS)}")
    text = b"" if schema is None else json.dumps(schema).encode()
    buffer = ffi.from_buffer(text)
    options = ffi.new("kstone_options *")
    options.struct_size = ffi.sizeof("kstone_options")
    options.schema_json = ffi.cast("char *", buffer) if text else NULL
    options.schema_json_len = len(text)
    options.memtable_max_records = within("memtable_max_records", memtable_max_records, UINT64_MAX)
    options.memory_max_bytes = within("memory_max_bytes", memory_max_bytes, UINT64_MAX)
    options.eviction = _EVICTIONS[eviction]
    options.flags = lib.KSTONE_OPEN_BACKGROUND_COMPACTION if background_compaction else 0
    out, error = ffi.new("kstone_db **"), new_error()
    check(lib.kstone_open_memory(options, out, error), error)
    return Database(owned(out[0]))


def _joined(keys: Iterable[Key]) -> tuple[bytes, Any]:
    """Keys as many.c takes them: all their bytes, and the lengths of the parts."""
    parts = [key_bytes(part) for key in keys for part in split_key(key)]
    return b"".join(parts), ffi.new("size_t[]", [len(part) for part in parts])


def _texts(
    index: str | None, filter_: str | None, projection: str | None, token: bytes | None
) -> dict[str, bytes | None]:
    expressions = {"index": index, "filter": filter_, "projection": projection}
    texts = {name: None if text is None else text_bytes(text) for name, text in expressions.items()}
    _check_token(token)
    return {**texts, "token": token}


def _check_token(token: bytes | None) -> None:
    """Refuse what no page gave."""
    if not isinstance(token, bytes | None):
        raise TypeError(f"a token is bytes, not {type(token).__name__}")


def _limit(limit: int | None) -> int | None:
    return None if limit is None else within("limit", limit, INT64_MAX)


def _flags(*, reverse: bool, keys_only: bool) -> int:
    flags: int = (lib.KSTONE_QUERY_REVERSE if reverse else 0) | (lib.KSTONE_QUERY_KEYS_ONLY if keys_only else 0)
    return flags


def _json_flags(plain: bool) -> int:
    flags: int = lib.KSTONE_JSON_PLAIN if plain else 0
    return flags
