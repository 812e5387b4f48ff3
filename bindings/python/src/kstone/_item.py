"""Items and keys as Python sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, TypeAlias

from kstone._errors import InvalidError

KeyPart: TypeAlias = str | bytes
"""A partition or sort key: bytes, or text that stands for its UTF-8."""

Key: TypeAlias = KeyPart | tuple[KeyPart, KeyPart]
"""What `db[key]` takes: a partition key, or a partition key and a sort key."""

Value: TypeAlias = (
    "bool | int | Decimal | str | bytes | bytearray | memoryview | Sequence[Value] | Mapping[str, Value]"
    " | AbstractSet[str] | AbstractSet[bytes] | AbstractSet[int | Decimal] | None"
)
"""What an attribute can be set to; see `Item` for what comes back."""

Attributes: TypeAlias = Mapping[str, Any]
"""Names and values: an item to be put, or the params of expressions. The values are each a `Value`; type checkers take
any, since they call a dict of several kinds of values a dict of objects."""


class Item(dict[str, Any]):
    """An item that was read: a dict of its attributes, which also knows its key.

    | DynamoDB | comes back as | from |
    | --- | --- | --- |
    | S | str | str |
    | N | int where it is whole, otherwise Decimal, exact | int, Decimal |
    | B | bytes | bytes, bytearray, memoryview |
    | BOOL, NULL | bool, None | bool, None |
    | L, M | list, dict | list or tuple, dict or another mapping |
    | SS, NS, BS | set of str, of int and Decimal, of bytes | set or frozenset, not empty |

    It is yours: a copy that no other thread sees and no later write changes. Changing it changes nothing in the
    database; put it to do that.

    >>> import kstone
    >>> db = kstone.open()
    >>> db.put("ada", {"born": 1815}, sk="life")
    >>> item = db["ada", "life"]
    >>> item, item.pk, item.sk, item.key
    ({'born': 1815}, 'ada', 'life', ('ada', 'life'))
    """

    __slots__ = ("pk", "sk")

    pk: KeyPart
    """The partition key: str where its bytes are UTF-8, otherwise bytes, as expressions see it."""

    sk: KeyPart | None
    """The sort key, likewise; None where the item has none."""

    @property
    def key(self) -> Key:
        """The key as `db[key]` takes it."""
        return self.pk if self.sk is None else (self.pk, self.sk)


def key_bytes(part: KeyPart | None) -> bytes:
    """The bytes of a part of a key; none for None."""
    if type(part) is bytes:
        return part
    if isinstance(part, str):
        return text_bytes(part)
    if part is None:
        return b""
    if isinstance(part, bytes | bytearray | memoryview):
        return bytes(part)
    raise TypeError(f"a key is str or bytes, not {type(part).__name__}")


def text_bytes(text: str) -> bytes:
    """The UTF-8 of an expression, a path or a name."""
    if not isinstance(text, str):
        raise TypeError(f"a text is str, not {type(text).__name__}")
    try:
        return str.encode(text)
    except UnicodeEncodeError as error:
        raise InvalidError(f"no UTF-8 text: {error}") from None


def within(name: str, number: int, most: int, least: int = 0) -> int:
    """A number that C can take, and that makes sense."""
    if not isinstance(number, int):
        raise TypeError(f"{name} is an int, not {type(number).__name__}")
    if not least <= number <= most:
        raise InvalidError(f"{name} is {number}, and may be {least} to {most}")
    return number


def key_part(raw: bytes) -> KeyPart:
    """A part of a key as items show it."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def numbered(params: Sequence[Any]) -> Attributes:
    """The parameters of a statement as the library names them."""
    if isinstance(params, str | bytes | bytearray | memoryview) or not isinstance(params, Sequence):
        raise TypeError(f"params are a list or tuple with a value for each ?, not {type(params).__name__}")
    return {f"?{number}": value for number, value in enumerate(params, 1)}


def split_key(key: Key) -> tuple[KeyPart, KeyPart | None]:
    """Partition key and sort key of what `db[key]` takes."""
    if isinstance(key, tuple):
        if len(key) != 2:
            raise TypeError(f"a key is a partition key or a pair of partition and sort key, not {len(key)} parts")
        return key
    return key, None
