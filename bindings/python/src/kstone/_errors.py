"""The exceptions: one for each code of the C library, all of them a `kstone.Error`.

Threads: an exception belongs to the call that raised it; nothing here is shared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from kstone._item import Item


class Error(Exception):
    """What a call of this package raises when the library refuses it. Such a call has changed nothing.

    A value or key of a Python type that no item can hold is a `TypeError` instead, and a key that is not there is a
    `KeyError` of `db[key]` and `del db[key]`.

    >>> import kstone
    >>> db = kstone.open()
    >>> try:
    ...     db.put("", {})
    ... except kstone.Error as error:
    ...     print(type(error).__name__, error.code, error.name)
    InvalidError -2 ValidationException
    """

    code: ClassVar[int] = 0
    """The number of the class in `kstone.h`, such as -3; it never changes."""

    exception: ClassVar[str] = ""
    """What `name` is where nothing else is said."""

    name: str
    """The name of DynamoDB's exception in such a case, such as "ConditionalCheckFailedException"; "" where none is."""

    message: str
    """What went wrong, for people; the wording may change."""

    index: int | None
    """Which operation of a batch or transaction failed, counted from 0; None where none did."""

    item: Item | None
    """The item for which a condition did not hold; None where there was none, and for other errors."""

    def __init__(
        self, message: str, *, name: str | None = None, index: int | None = None, item: Item | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.name = self.exception if name is None else name
        self.index = index
        self.item = item


class MisuseError(Error):
    """A call that no program should make: fix the program."""

    code = -1


class ClosedError(MisuseError):
    """The database, transaction or batch was closed before the call."""


class InvalidError(Error):
    """A key, item, expression, statement or request is not acceptable: the message names what and where."""

    code = -2
    exception = "ValidationException"


class ConditionFailedError(Error):
    """The condition of a write did not hold. `item` is the item that is there, `index` the operation of a batch."""

    code = -3


class ConflictError(Error):
    """Another transaction was in the way: try again."""

    code = -4


class LimitError(Error):
    """A documented limit is passed: the message names the limit and what was found."""

    code = -5
    exception = "ValidationException"


class AttributeTypeError(Error):
    """The attribute is of another type."""

    code = -6


class CorruptError(Error):
    """Data to be loaded fails its checks."""

    code = -7


class FileError(Error):
    """The operating system refused to read or write a file."""

    code = -8


class InternalError(Error):
    """A bug in the library. A database whose write failed so refuses further use: close it and open another."""

    code = -9


class TrimmedError(Error):
    """A reader of the change stream fell behind what the stream keeps."""

    code = -10


BY_CODE: dict[int, type[Error]] = {
    cls.code: cls
    for cls in (
        MisuseError,
        InvalidError,
        ConditionFailedError,
        ConflictError,
        LimitError,
        AttributeTypeError,
        CorruptError,
        FileError,
        InternalError,
        TrimmedError,
    )
}
