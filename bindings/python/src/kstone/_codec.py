"""Items to the library's stored form, version 1 (docs/stored-form.md), so that each crosses in one call.

Whatever is encoded here is checked by the library once more. The other way is in pickled.c.
Threads: functions without state.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from kstone._errors import BY_CODE, InvalidError, LimitError
from kstone._item import Attributes
from kstone._native import ffi, lib

S, N, B, BOOL, NULL, L, M, SS, NS, BS = range(1, 11)
MAX_NESTING_LEVELS = 32
NAME_MAX_BYTES = 65_535
# What the library takes of an item, or of a value in one.
STORED_MAX_BYTES = 2**20
FEW_ENTRIES = 64
# Every int with fewer digits is its own canonical text.
INT_END = 10**38
# One with more bits is out of range.
INT_MAX_BITS = 1024
DECIMAL_MAX_CHARS = 38
is_canonical = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?").fullmatch

Encoder = Callable[[Any, int], bytes]
_FLOAT_HINT = "a float is not exact: pass an int, or decimal.Decimal, such as Decimal('0.1') or Decimal(str(x))"


class _Refused(Exception):
    """A value that no item can hold; on its way out it learns where that is."""

    def __init__(self, kind: type[Exception], message: str) -> None:
        self.kind = kind
        self.message = message
        self.path = ""

    def under(self, step: str) -> _Refused:
        self.path = step + self.path
        return self


def encode(item: Attributes, what: str = "an item is") -> bytes:
    """The stored form of an item, or of a bag of parameters.

    Raises TypeError for what has no type of DynamoDB's, `InvalidError` and `LimitError` for what is beyond its bounds;
    each names the attribute. What else is wrong with an item, the library finds.
    """
    if not isinstance(item, Mapping):
        raise TypeError(f"{what} a dict, not {type(item).__name__}")
    try:
        return _entries(item, 0)
    except _Refused as refused:
        path = refused.path.removeprefix(".")
        raise refused.kind(f"{refused.message} (attribute {path})" if path else refused.message) from None


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


# The bytes before a payload of less than 128 bytes: its length, and type and length by type.
_LENGTHS = [bytes([length]) for length in range(0x80)]
_HEADS = [[bytes([kind, length]) for length in range(0x80)] for kind in range(11)]
_S_HEADS, _N_HEADS = _HEADS[S], _HEADS[N]
# Unlike name.encode(), it takes nothing that only looks like a str.
_UTF8 = str.encode


def _sized(payload: bytes) -> bytes:
    length = len(payload)
    return (_LENGTHS[length] if length < 0x80 else _varint(length)) + payload


def _typed(kind: int, payload: bytes) -> bytes:
    length = len(payload)
    return (_HEADS[kind][length] if length < 0x80 else _LENGTHS[kind] + _varint(length)) + payload


def _entries(entries: Attributes, levels: int) -> bytes:
    parts = []
    name, size = "", 0
    # Few entries are too large together only where one of them is, which the library or their own bounds say.
    many = len(entries) > FEW_ENTRIES
    try:
        # By code points, which is the order of their UTF-8.
        for name in sorted(entries):
            value = entries[name]
            raw = _UTF8(name)
            length = len(raw)
            parts.append(_LENGTHS[length] if 0 < length < 0x80 else _unusual_length(length))
            parts.append(raw)
            parts.append(_ENCODERS.get(type(value), _encode_other)(value, levels))
            if many:
                size += len(parts[-1])
                if size > STORED_MAX_BYTES:
                    raise _too_large(size)
    except _Refused as refused:
        raise refused.under(f".{name}") from None
    except UnicodeEncodeError as error:
        place = name.encode(errors="backslashreplace").decode()
        raise _Refused(InvalidError, f"no UTF-8 text: {error}").under(f".{place}") from None
    except TypeError:
        other = next((name for name in entries if not isinstance(name, str)), None)
        if other is None:
            raise
        raise _Refused(TypeError, f"an attribute's name is str, not {type(other).__name__}: {other!r}") from None
    return b"".join(parts)


def _unusual_length(length: int) -> bytes:
    """The length of a name that is empty, or long."""
    if length == 0:
        raise _Refused(InvalidError, "an attribute's name may not be empty")
    if length > NAME_MAX_BYTES:
        raise _Refused(LimitError, f"an attribute's name has up to {NAME_MAX_BYTES} bytes, not {length}")
    return _varint(length)


def _encode_str(value: str, levels: int) -> bytes:
    raw = value.encode()
    length = len(raw)
    return (_S_HEADS[length] if length < 0x80 else _LENGTHS[S] + _varint(length)) + raw


def _encode_int(value: int, levels: int) -> bytes:
    if -INT_END < value < INT_END:
        text = b"%d" % value
        return _N_HEADS[len(text)] + text
    return _typed(N, _int_text(value))


def _encode_decimal(value: Decimal, levels: int) -> bytes:
    return _typed(N, _decimal_text(value))


def _encode_bytes(value: bytes, levels: int) -> bytes:
    return _typed(B, value)


def _encode_bool(value: bool, levels: int) -> bytes:
    return b"\x04\x01\x01" if value else b"\x04\x01\x00"


def _encode_none(value: None, levels: int) -> bytes:
    return b"\x05\x00"


def encode_values(values: Sequence[Any]) -> bytes:
    """Values in the stored form, one behind the other, as the elements of a list are. Raises as `encode`."""
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise TypeError(f"params are a sequence of values, or a dict of them, not {type(values).__name__}")
    try:
        return _elements(values, 0)
    except _Refused as refused:
        raise refused.kind(f"{refused.message} (value {refused.path})") from None


def _encode_list(values: Sequence[Any], levels: int) -> bytes:
    return _typed(L, _elements(values, _deeper(levels)))


def _elements(values: Sequence[Any], inner: int) -> bytes:
    size = 0
    parts: list[bytes] = []
    try:
        for value in values:
            encoded = _ENCODERS.get(type(value), _encode_other)(value, inner)
            size += len(encoded)
            if size > STORED_MAX_BYTES:
                raise _too_large(size)
            parts.append(encoded)
    except _Refused as refused:
        raise refused.under(f"[{len(parts)}]") from None
    except UnicodeEncodeError as error:
        raise _Refused(InvalidError, f"no UTF-8 text: {error}").under(f"[{len(parts)}]") from None
    return b"".join(parts)


def _encode_map(entries: Attributes, levels: int) -> bytes:
    payload = _entries(entries, _deeper(levels))
    if len(payload) > STORED_MAX_BYTES:
        raise _too_large(len(payload))
    return _typed(M, payload)


def _encode_set(values: AbstractSet[Any], levels: int) -> bytes:
    elements: list[bytes]
    if any(isinstance(value, float) for value in values):
        raise _Refused(TypeError, _FLOAT_HINT)
    if not values:
        raise _Refused(InvalidError, "a set may not be empty")
    if all(isinstance(value, str) for value in values):
        kind, elements = SS, sorted(map(_UTF8, values))
    elif all(isinstance(value, bytes) for value in values):
        kind, elements = BS, sorted(values)
    elif all(isinstance(value, int | Decimal) and not isinstance(value, bool) for value in values):
        kind, texts = NS, {_decimal_text(v) if isinstance(v, Decimal) else _int_text(v) for v in values}
        elements = sorted(texts, key=lambda text: Decimal(text.decode()))
    else:
        raise _Refused(TypeError, "a set holds str alone, int and Decimal, or bytes alone")
    return _typed(kind, b"".join(map(_sized, elements)))


def _encode_other(value: object, levels: int) -> bytes:
    """Subclasses and kindred types of those that `_ENCODERS` names."""
    for types, encoder in _KINDRED:
        if isinstance(value, types):
            return encoder(value, levels)
    if isinstance(value, float):
        raise _Refused(TypeError, _FLOAT_HINT)
    raise _Refused(TypeError, f"an attribute cannot be {type(value).__name__}")


_ENCODERS: dict[type, Encoder] = {
    str: _encode_str,
    int: _encode_int,
    Decimal: _encode_decimal,
    bytes: _encode_bytes,
    bool: _encode_bool,
    type(None): _encode_none,
    list: _encode_list,
    tuple: _encode_list,
    dict: _encode_map,
    set: _encode_set,
    frozenset: _encode_set,
}
_KINDRED: list[tuple[type | tuple[type, ...], Encoder]] = [
    (str, lambda value, levels: _encode_str(str.__str__(value), levels)),
    (int, _encode_int),
    (Decimal, _encode_decimal),
    ((bytes, bytearray, memoryview), lambda value, levels: _encode_bytes(bytes(value), levels)),
    ((list, tuple), _encode_list),
    (Mapping, _encode_map),
    (AbstractSet, _encode_set),
]


def _int_text(value: int) -> bytes:
    if -INT_END < value < INT_END:
        return b"%d" % value
    # What is beyond every bound need not be written out.
    return _number_text(str(value) if value.bit_length() < INT_MAX_BITS else "1E999")


def _decimal_text(value: Decimal) -> bytes:
    text = str(value)
    plain = text.rstrip("0").rstrip(".") if "." in text else text
    if len(plain) <= DECIMAL_MAX_CHARS and is_canonical(plain) and plain != "-0":
        return plain.encode()
    return _number_text(text)


def _number_text(text: str) -> bytes:
    """The canonical text, which is the library's to find, as is what is wrong with a number."""
    raw = text.encode()
    item = ffi.gc(lib.kstone_item_new(), lib.kstone_free)
    error = ffi.new("kstone_error **")
    if lib.kstone_item_set_num(item, b"N", 1, raw, len(raw), error) < 0:
        found = ffi.gc(error[0], lib.kstone_free)
        message = str(ffi.string(lib.kstone_error_message(found)), "utf-8")
        raise _Refused(BY_CODE[lib.kstone_error_code(found)], message.removesuffix(" (attribute N)"))
    value = ffi.new("kstone_value *")
    lib.kstone_item_get(item, b"N", 1, value)
    return bytes(ffi.buffer(value.bytes.data, value.bytes.len))


def _too_large(size: int) -> _Refused:
    """Raised on the way: the same text may stand in a list a million times, and a list in a list."""
    limit = f"the limit is {STORED_MAX_BYTES} bytes, found {size} at least"
    return _Refused(LimitError, f"Item size as stored has exceeded the maximum allowed size: {limit}")


def _deeper(levels: int) -> int:
    if levels == MAX_NESTING_LEVELS:
        raise _Refused(LimitError, f"lists and maps in more than {MAX_NESTING_LEVELS} levels")
    return levels + 1
