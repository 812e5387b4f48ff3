"""The C functions from Python's side: handles that free themselves, errors as exceptions, text and bytes copied out.

Ownership: a handle is a cdata that frees itself when the last reference to it goes. A call under way holds one, so
a database that is closed meanwhile is freed when the call returns, and not before.

Threads: cffi releases the GIL around every call. A `Scratch` is lent to one call at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from pickle import loads
from typing import Any, ClassVar, NoReturn, TypeAlias

from kstone._codec import encode
from kstone._errors import BY_CODE, ClosedError, Error, InvalidError
from kstone._item import Attributes, Item, key_part, text_bytes
from kstone._native import ffi, lib

Handle: TypeAlias = Any
"""A pointer of the library."""

Call: TypeAlias = Callable[..., int]
"""A function of the library that returns a status."""

NULL: Handle = ffi.NULL
NOT_FOUND: int = lib.KSTONE_NOT_FOUND
DONE: int = lib.KSTONE_DONE
BUFFER_BYTES = 4096

_ERROR_OUT = ffi.typeof("kstone_error **")
_LENGTH_OUT = ffi.typeof("size_t *")
_BUFFER = ffi.typeof("char[]")
_allocate = ffi.new_allocator(should_clear_after_alloc=False)


class Scratch:
    """Where C writes what a call gives: an error, a length, and an item's bytes up to `BUFFER_BYTES`.

    Making these costs more than a look-up does, so they are used again: `lend` takes one, `give_back` returns it.
    """

    __slots__ = ("buffer", "error", "length")

    def __init__(self) -> None:
        self.error = ffi.new(_ERROR_OUT)
        self.length = ffi.new(_LENGTH_OUT)
        self.buffer = ffi.new(_BUFFER, BUFFER_BYTES)


_idle: list[Scratch] = []
give_back = _idle.append


def lend() -> Scratch:
    """A scratch that no other call has; a list's pop is atomic."""
    try:
        return _idle.pop()
    except IndexError:
        return Scratch()


def owned(pointer: Handle) -> Handle:
    """A handle that is freed with the last reference to it."""
    return ffi.gc(pointer, lib.kstone_free)


def new_error() -> Handle:
    """Where a call writes its error."""
    return ffi.new(_ERROR_OUT)


def take_error(error: Handle) -> Error:
    """The exception of a failed call, in the place of the error that it wrote."""
    found, error[0] = owned(error[0]), NULL
    index = lib.kstone_error_index(found)
    item = lib.kstone_error_item(found)
    return BY_CODE.get(lib.kstone_error_code(found), Error)(
        text_of(lib.kstone_error_message(found)),
        name=text_of(lib.kstone_error_name(found)),
        index=None if index < 0 else index,
        item=None if item == NULL else read_item(item),
    )


def check(status: int, error: Handle) -> int:
    """The status of a call where it is no error; raises where it is one."""
    if status < 0:
        raise take_error(error)
    return status


class Owner:
    """Has a handle until it is closed; a call that comes later finds NULL in its place, and the library refuses it."""

    __slots__ = ("__weakref__", "_handle")

    _what: ClassVar[str]

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._handle is NULL

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"a {self._what} is no value: it cannot be pickled, nor copied by the copy module")

    def close(self) -> None:
        """Free it. Calls of other threads that are under way end as they would; later ones raise `ClosedError`.

        A second call does nothing. What is never closed is freed with the last reference to it.
        """
        self._handle = NULL

    def _failure(self, error: Handle) -> Error:
        failure = take_error(error)
        return ClosedError(f"the {self._what} is closed") if self.closed else failure

    def _run(self, call: Call, *arguments: Any) -> int:
        """Call (handle, ..., kstone_error **err)."""
        error = new_error()
        status = call(self._handle, *arguments, error)
        if status < 0:
            raise self._failure(error)
        return status

    def _out(self, kind: str, call: Call, *arguments: Any) -> Handle:
        """Call (handle, ..., kind **out, kstone_error **err): what comes out, or NULL."""
        out = ffi.new(f"{kind} **")
        self._run(call, *arguments, out)
        return NULL if out[0] == NULL else owned(out[0])

    def _text(self, call: Call, *arguments: Any) -> str | None:
        """Call (handle, ..., char **out, size_t *out_len, kstone_error **err): the text; None where nothing is."""
        out, length = ffi.new("char **"), ffi.new(_LENGTH_OUT)
        if self._run(call, *arguments, out, length) == NOT_FOUND:
            return None
        return str(ffi.buffer(owned(out[0]), length[0]), "utf-8")


def text_of(text: Handle) -> str:
    """A NUL-terminated text that the library keeps."""
    return str(ffi.string(text), "utf-8")


def bytes_of(borrowed: Any) -> bytes:
    """A copy of what a kstone_bytes points at."""
    return bytes(ffi.buffer(borrowed.data, borrowed.len)) if borrowed.len else b""


def read_item(item: Handle) -> Item:
    """A copy of an item of the library."""
    read = Item(loads(pickled(lib.kpy_attributes, item)))  # noqa: S301 - made by pickled.c, of what the library holds
    read.pk = key_part(bytes_of(lib.kstone_item_pk(item)))
    read.sk = key_part(bytes_of(lib.kstone_item_sk(item))) or None
    return read


def pickled(call: Call, handle: Handle) -> bytes:
    """What one of the functions of pickled.c writes."""
    scratch = lend()
    try:
        size = call(handle, scratch.buffer, BUFFER_BYTES)
        if size <= BUFFER_BYTES:
            return bytes(ffi.unpack(scratch.buffer, size))
    finally:
        give_back(scratch)
    buffer = _allocate(_BUFFER, size)
    call(handle, buffer, size)
    return bytes(ffi.unpack(buffer, size))


def item_of(body: bytes) -> Handle:
    """An item of the library with these attributes, in the stored form."""
    out, error = ffi.new("kstone_item **"), new_error()
    check(lib.kstone_item_from_bytes(body, len(body), out, error), error)
    return owned(out[0])


def bag(params: Attributes | None) -> Handle:
    """The parameters of an expression as an item of the library; NULL where there are none."""
    return NULL if params is None else item_of(encode(params, "params are"))


class Condition:
    """A kstone_cond, good for as long as this is kept; `pointer` is NULL where there is no condition."""

    __slots__ = ("_expression", "_params", "pointer")

    def __init__(self, expression: str | None, params: Handle = NULL) -> None:
        self.pointer = NULL
        if expression is None and params is not NULL:
            raise InvalidError("there are params, but no condition that reads them")
        if expression is not None:
            text = text_bytes(expression)
            self._expression = ffi.from_buffer(text)
            self._params = params
            self.pointer = ffi.new("kstone_cond *")
            self.pointer.struct_size = ffi.sizeof("kstone_cond")
            self.pointer.expr = ffi.cast("char *", self._expression)
            self.pointer.expr_len = len(text)
            self.pointer.params = params
            self.pointer.return_old = 1
