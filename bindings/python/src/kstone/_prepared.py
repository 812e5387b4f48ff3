"""Requests that are read once and run many times: what `Database.prepare` and its siblings give.

Threads: any number of threads may run one at once, since its values come with each run. Each run is one call of the
library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from kstone._calls import NULL, Condition, Handle, bag, bytes_of, owned, read_item
from kstone._codec import encode, encode_values
from kstone._errors import InvalidError
from kstone._item import Attributes, Item, KeyPart, key_bytes, text_bytes, within
from kstone._native import ffi, lib
from kstone._results import UINT32_MAX, RawPage, Request, Rows, Spec, read_page

if TYPE_CHECKING:
    from kstone._database import Database

Values: TypeAlias = Sequence[Any] | Mapping[str, Any]
"""The values of a run: by position, as `Prepared.parameters` says, or by name, sign included (":n")."""


class Prepared:
    """A request that was read once. It may be run on the database that it was prepared with, and `on` any other.

    It belongs to no database: it may be kept when its own is closed, and runs on forks. What a run reads is decided by
    the schema in force then.
    """

    __slots__ = ("_handle", "_source", "parameters")

    parameters: tuple[str, ...]
    """The names of its parameters, in the order of their values: ":n", or "?1" for the first of a statement."""

    def __init__(self, source: Database, handle: Handle) -> None:
        self._source = source
        self._handle = handle
        count = lib.kstone_prepared_count(handle)
        self.parameters = tuple(str(bytes_of(lib.kstone_prepared_name(handle, i)), "utf-8") for i in range(count))

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a prepared request is no value: it cannot be pickled, nor copied by the copy module")

    def _values(self, params: Values) -> bytes:
        if not isinstance(params, Mapping):
            return encode_values(params)
        unknown = params.keys() - set(self.parameters)
        if unknown or len(params) < len(self.parameters):
            missing = [name for name in self.parameters if name not in params]
            wrong = f"{', '.join(missing)} has no value" if missing else f"{min(unknown)} is none of them"
            raise InvalidError(f"the parameters are {', '.join(self.parameters)}: {wrong}")
        return encode_values([params[name] for name in self.parameters])

    def _pages(self, params: Values, on: Database | None, limit: int, token: bytes | None) -> Rows:
        values, source = self._values(params), self._source if on is None else on

        def fetch(token: bytes) -> RawPage:
            given = (self._handle, values, len(values), limit, token, len(token))
            return read_page(source._out("kstone_page", lib.kpy_run, *given))

        return Rows(fetch, token or b"")

    def _write(
        self, on: Database | None, key: tuple[KeyPart, KeyPart | None], body: bytes | None, params: Values, returns: int
    ) -> Item | None:
        pk, sk, values = key_bytes(key[0]), key_bytes(key[1]), self._values(params)
        out = ffi.new("kstone_item **") if returns else NULL
        source = self._source if on is None else on
        item = (NULL, 0) if body is None else (body, len(body))
        source._run(
            lib.kpy_run_write, self._handle, pk, len(pk), sk, len(sk), *item, values, len(values), returns, out
        )  # fmt: skip
        return read_item(owned(out[0])) if returns and out[0] != NULL else None


class PreparedStatement(Prepared):
    """A PartiQL statement: what `Database.prepare` gives.

    >>> import kstone
    >>> db = kstone.open()
    >>> insert = db.prepare("INSERT INTO items VALUE {'pk': ?, 'born': ?}")
    >>> for name, born in [("ada", 1815), ("alan", 1912)]:
    ...     _ = insert.run([name, born])
    >>> list(db.prepare("SELECT born FROM items WHERE pk = ?").run(["alan"]))
    [{'born': 1912}]
    """

    __slots__ = ()

    def run(
        self, params: Values = (), *, limit: int = 0, token: bytes | None = None, on: Database | None = None
    ) -> Rows:
        """Execute it, as `Database.execute` does. `limit` is how many items are examined for a page."""
        return self._pages(params, on, within("limit", limit, UINT32_MAX), token)


class PreparedQuery(Prepared):
    """A query of one partition: what `Database.prepare_query` gives.

    >>> import kstone
    >>> db = kstone.open()
    >>> for day in range(1, 6):
    ...     db.put("ada", {"day": day}, sk=f"2024-05-0{day}")
    >>> since = db.prepare_query("pk = :p AND sk >= :from")
    >>> [item["day"] for item in since.run({":p": "ada", ":from": "2024-05-04"})]
    [4, 5]
    """

    __slots__ = ()

    def run(
        self, params: Values = (), *, limit: int = 0, token: bytes | None = None, on: Database | None = None
    ) -> Rows:
        """The items that are found, page after page. `limit` is how many items are examined for a page."""
        return self._pages(params, on, within("limit", limit, UINT32_MAX), token)


class PreparedPut(Prepared):
    """A put, perhaps on a condition: what `Database.prepare_put` gives."""

    __slots__ = ()

    def run(
        self,
        pk: KeyPart,
        item: Attributes,
        params: Values = (),
        sk: KeyPart | None = None,
        *,
        return_old: bool = False,
        on: Database | None = None,
    ) -> Item | None:
        """Store an item, as `Database.put` does."""
        returns = lib.KSTONE_RETURN_ALL_OLD if return_old else lib.KSTONE_RETURN_NONE
        return self._write(on, (pk, sk), encode(item), params, returns)


class PreparedDelete(Prepared):
    """A delete, perhaps on a condition: what `Database.prepare_delete` gives."""

    __slots__ = ()

    def run(
        self,
        pk: KeyPart,
        params: Values = (),
        sk: KeyPart | None = None,
        *,
        return_old: bool = False,
        on: Database | None = None,
    ) -> Item | None:
        """Delete an item, as `Database.delete` does."""
        returns = lib.KSTONE_RETURN_ALL_OLD if return_old else lib.KSTONE_RETURN_NONE
        return self._write(on, (pk, sk), None, params, returns)


class PreparedUpdate(Prepared):
    """An update, perhaps on a condition: what `Database.prepare_update` gives.

    >>> import kstone
    >>> db = kstone.open()
    >>> visit = db.prepare_update("ADD visits :n")
    >>> for page in ["a", "b", "a"]:
    ...     _ = visit.run(page, [1])
    >>> db["a"], db["b"]
    ({'visits': 2}, {'visits': 1})
    """

    __slots__ = ()

    def run(
        self,
        pk: KeyPart,
        params: Values = (),
        sk: KeyPart | None = None,
        *,
        returns: str = "NONE",
        on: Database | None = None,
    ) -> Item | None:
        """Change an item, as `Database.update` does."""
        wanted = getattr(lib, f"KSTONE_RETURN_{returns}", None) if isinstance(returns, str) else None
        if wanted is None:
            raise InvalidError(f"returns is {returns!r}, and may be one of NONE, ALL_OLD, UPDATED_OLD and so on")
        return self._write(on, (pk, sk), None, params, wanted)


def prepare(
    source: Database,
    kind: int,
    text: str | None = None,
    *,
    names: Attributes | None = None,
    condition: str | None = None,
    request: Request | None = None,
) -> Handle:
    """What the library prepares of a kstone_prepare_spec."""
    spec = ffi.new("kstone_prepare_spec *", {"struct_size": ffi.sizeof("kstone_prepare_spec"), "kind": kind})
    names_of = bag(names)
    if text is not None:
        raw = text_bytes(text)
        kept = ffi.from_buffer(raw)
        spec.text, spec.text_len = ffi.cast("char *", kept), len(raw)
        spec.names = names_of
    # The update's names are the condition's too; a put or a delete has them with its condition.
    cond = Condition(condition, NULL if text is not None else names_of)
    spec.cond = cond.pointer
    query = None if request is None else Spec(request)
    if query is not None:
        spec.query = query.struct
    return source._out("kstone_prepared", lib.kstone_prepare, spec)
