"""Files that are open, in the place of paths: what C calls back to read and write them."""

from __future__ import annotations

from typing import Any, Protocol

from kstone._native import ffi, lib


class Writable(Protocol):
    """What bytes are written to, such as an open binary file."""

    def write(self, data: bytes, /) -> object:
        """Take all of the bytes, or say how many were taken."""


class Readable(Protocol):
    """What bytes are read from, such as an open binary file."""

    def read(self, size: int, /) -> bytes | None:
        """At most so many bytes; none at the end only."""


class Callback:
    """A function that C calls, and what it raised: an exception must not cross C."""

    __slots__ = ("callback", "raised")

    def __init__(self, kind: str, function: Any) -> None:
        self.raised: BaseException | None = None

        def guarded(*arguments: Any) -> int:
            try:
                function(*arguments[1:])
            except BaseException as raised:
                self.raised = raised
                return int(lib.KSTONE_ERR_IO)
            return int(lib.KSTONE_OK)

        self.callback = ffi.callback(kind, guarded, error=lib.KSTONE_ERR_IO)

    def __enter__(self) -> Any:
        return self.callback

    def __exit__(self, *raised: object) -> None:
        if self.raised is not None:
            raise self.raised from None


def to_file(file: Writable) -> Callback:
    """A kstone_write_fn that writes to a file."""

    def write(data: Any, size: int) -> None:
        left = bytes(ffi.buffer(data, size))
        while left:
            taken = file.write(left)
            if not isinstance(taken, int) or taken >= len(left):
                return
            if taken <= 0:
                raise OSError("the file takes no more bytes")
            left = left[taken:]

    return Callback("kstone_status(void *, const void *, size_t)", write)


def from_file(file: Readable) -> Callback:
    """A kstone_read_fn that reads from a file."""

    def read(buffer: Any, capacity: int, size: Any) -> None:
        data = file.read(capacity)
        if data is None:
            raise BlockingIOError("the file has no bytes yet: kstone does not wait for them")
        if len(data) > capacity:
            raise ValueError(f"the file's read gave {len(data)} bytes where {capacity} were asked for")
        ffi.memmove(buffer, data, len(data))
        size[0] = len(data)

    return Callback("kstone_status(void *, void *, size_t, size_t *)", read)
