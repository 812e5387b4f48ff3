"""What a query, a scan or a statement finds: items one after another, or page by page.

Threads: a `Results` may be shared, since each iteration over it stands for itself. One iterator is for one thread at a
time; Python raises ValueError where two ask it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pickle import loads
from typing import NamedTuple, cast

from kstone._calls import DONE, NULL, Call, Handle, Owner, bytes_of, check, item_of, new_error, pickled, read_item
from kstone._cursor import Cursor
from kstone._errors import InvalidError
from kstone._item import Item, key_part
from kstone._native import ffi, lib

UINT32_MAX = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Page:
    """One page of items; iterating gives them. It is a copy, and belongs to the caller."""

    items: list[Item]
    """The items; none where the page only counts."""

    count: int
    """How many items the page found."""

    scanned: int
    """How many items were examined for it, before any filter."""

    token: bytes | None
    """Where the next page begins, to be given as `token`; None at the end."""

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)


class RawPage(NamedTuple):
    """A page of the library, copied out: the items as kpy_page in pickled.c writes them."""

    items: bytes
    found: int
    scanned: int
    token: bytes | None


def read_page(page: Handle) -> RawPage:
    """A copy of a page of the library."""
    return RawPage(
        pickled(lib.kpy_page, page),
        lib.kstone_page_count(page),
        lib.kstone_page_scanned(page),
        bytes_of(lib.kstone_page_token(page)) or None,
    )


def page_items(page: bytes) -> Iterator[Item | None]:
    """The items of a page; None for what a get of a batch did not find."""
    parts = iter(loads(page))  # noqa: S301 - made by pickled.c, of what the library holds
    for pk, sk, attributes in zip(parts, parts, parts, strict=True):
        if attributes is None:
            yield None
            continue
        item = Item(attributes)
        item.pk = key_part(pk)
        item.sk = key_part(sk) if sk else None
        yield item


class Request(NamedTuple):
    """What is to be read, copied from what the caller gave: the fields of a kstone_query_spec."""

    texts: dict[str, bytes | None]
    numbers: dict[str, int]
    params: bytes | None
    start_after: bytes | None = None


class Spec:
    """A request as C reads it, with what it points at. For one thread."""

    __slots__ = ("_kept", "struct")

    def __init__(self, request: Request) -> None:
        self.struct = ffi.new("kstone_query_spec *", request.numbers)
        self.struct.struct_size = ffi.sizeof("kstone_query_spec")
        self._kept: dict[str, Handle] = {}
        for name, text in request.texts.items():
            if text is not None:
                self.point(name, text)
        if request.params is not None:
            self._kept["params"] = self.struct.params = item_of(request.params)
        if request.start_after is not None:
            self._kept["start_after"] = self.struct.start_after = item_of(request.start_after)

    def point(self, name: str, text: bytes) -> None:
        """Let a field, and the field of its length, say these bytes."""
        self._kept[name] = buffer = ffi.from_buffer(text)
        setattr(self.struct, name, ffi.cast("char *", buffer))
        setattr(self.struct, f"{name}_len", len(text))

    def go_on(self, token: bytes) -> None:
        """Begin where this token says."""
        self.point("token", token)
        self.struct.start_after = NULL


class Results:
    """What `Database.query` and `Database.scan` find. Nothing is read before it is asked for, and each use reads anew.

    Iterating gives the items one by one and fetches page after page, each in one call and at one moment: a key that is
    there all the time comes exactly once, one that is written or deleted meanwhile at most once. `as_of_now` shows a
    single moment instead.

    Raises, when it is used: `InvalidError` for a request that cannot be, `LimitError` for a key that is too long,
    `ClosedError`. See the module for threads.

    >>> import kstone
    >>> db = kstone.open()
    >>> for day in range(1, 6):
    ...     db.put("ada", {"day": day}, sk=f"2024-05-0{day}")
    >>> [item["day"] for item in db.query("ada", gt="2024-05-02")]
    [3, 4, 5]
    >>> db.query("ada").count()
    5
    >>> page = db.query("ada", page_size=2).page()
    >>> [item.sk for item in page], page.scanned
    (['2024-05-01', '2024-05-02'], 2)
    >>> [item.sk for item in db.query("ada", page_size=2, token=page.token).page()]
    ['2024-05-03', '2024-05-04']
    """

    __slots__ = ("_call", "_limit", "_page_size", "_request", "_source")

    def __init__(self, source: Owner, call: Call, request: Request, limit: int | None, page_size: int) -> None:
        self._source = source
        self._call = call
        self._request = request
        self._limit = limit
        self._page_size = page_size

    def __iter__(self) -> Iterator[Item]:
        spec = Spec(self._request)
        spec.struct.limit = self._page_size
        if self._limit is not None and self._page_size == 0 and self._request.texts["filter"] is None:
            spec.struct.limit = min(self._limit, UINT32_MAX)
        return islice((item for page in self._read(spec) for item in _items(page)), self._limit)

    def first(self) -> Item | None:
        """The first item, or None."""
        limit = 1 if self._limit is None else min(self._limit, 1)
        only = Results(self._source, self._call, self._request, limit, self._page_size)
        return next(iter(only), None)

    def count(self) -> int:
        """How many items there are; they are counted where they lie. With `limit`, at most that many."""
        spec = Spec(self._request)
        spec.struct.flags = spec.struct.flags & ~lib.KSTONE_QUERY_KEYS_ONLY | lib.KSTONE_QUERY_COUNT
        count = sum(page.found for page in self._read(spec))
        return count if self._limit is None else min(count, self._limit)

    def pages(self, *, count_only: bool = False) -> Iterator[Page]:
        """The items page by page, as DynamoDB gives them: a page may be empty and have a token all the same.

        A page ends when `page_size` items were examined, or before it passes 1 MiB. With `count_only` the items are
        counted and not handed out. Raises `InvalidError` where the results have a `limit`.
        """
        if self._limit is not None:
            raise InvalidError("pages are bounded by page_size, not by limit")
        spec = Spec(self._request)
        spec.struct.limit = self._page_size
        spec.struct.flags |= lib.KSTONE_QUERY_COUNT if count_only else 0
        for page in self._read(spec):
            yield Page(list(_items(page)), page.found, page.scanned, page.token)

    def page(self, *, count_only: bool = False) -> Page:
        """The first page alone. Its `token` says where the next one begins."""
        return next(self.pages(count_only=count_only))

    def as_of_now(self) -> Iterator[Item]:
        """The items as they are at this moment, whatever is written, deleted or closed while you iterate.

        What is deleted or overwritten meanwhile stays in memory until the iterator is gone. Opening it costs some
        microseconds for each stripe that was written to; an item then costs a call, where pages cost one for many.
        """
        spec = Spec(self._request)
        iterator = self._source._out("kstone_iter", lib.kstone_iter_open, spec.struct)
        return islice(_read_iterator(iterator), self._limit)

    def cursor(self) -> Cursor:
        """A cursor over the items as they are at this moment, before the first of them: see `Cursor`.

        Raises `InvalidError` for a limit, a page size or a token, which it has no use for.
        """
        if self._limit is not None or self._page_size != 0:
            raise InvalidError("a cursor has no limit and no pages: it goes as far as it is told to")
        spec = Spec(self._request)
        return Cursor(self._source._out("kstone_cursor", lib.kstone_cursor_open, spec.struct))

    def _read(self, spec: Spec) -> Iterator[RawPage]:
        while True:
            page = read_page(self._source._out("kstone_page", self._call, spec.struct))
            yield page
            if page.token is None:
                return
            spec.go_on(page.token)


class Rows:
    """What `Database.execute` returns. The statement has been executed; iterating gives its rows.

    A row is an `Item` with the columns of the SELECT list; `SELECT *` gives the whole item, with the key as the
    attributes pk and sk. A row that is no item, such as a sum, has "" as its `pk`. Rows are copies. Further pages are
    read as the iteration goes on, and raise as `Database.execute`; threads are as of `Results`.
    """

    __slots__ = ("_fetch", "_first")

    def __init__(self, fetch: Callable[[bytes], RawPage], token: bytes) -> None:
        self._fetch = fetch
        self._first = fetch(token)

    def __iter__(self) -> Iterator[Item]:
        page = self._first
        while True:
            yield from _items(page)
            if page.token is None:
                return
            page = self._fetch(page.token)

    def first(self) -> Item | None:
        """The first row, or None."""
        return next(iter(self), None)

    def page(self) -> Page:
        """The rows of the first page alone; its `token` says where the next one begins."""
        return Page(list(_items(self._first)), self._first.found, self._first.scanned, self._first.token)


def _read_iterator(iterator: Handle) -> Iterator[Item]:
    item, error = ffi.new("kstone_item **"), new_error()
    while check(lib.kstone_iter_next(iterator, item, error), error) != DONE:
        yield read_item(item[0])


def _items(page: RawPage) -> Iterator[Item]:
    """The items of a page that comes from no batch: none is missing."""
    return cast("Iterator[Item]", page_items(page.items))
