"""The change stream: one `Change` for each write that changed something."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from kstone._item import Item, KeyPart


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one item. A value like any other: no lock, no handle."""

    sequence: int
    """Its place in the stream: give it as `after` to go on behind it."""

    event: Literal["INSERT", "MODIFY", "REMOVE"]
    """What happened."""

    pk: KeyPart
    """The partition key, as `Item.pk`."""

    sk: KeyPart | None
    """The sort key, as `Item.sk`."""

    new: Item | None
    """The item as it is since; None where it was removed, or the stream's view does not show it."""

    old: Item | None
    """The item as it was; None where there was none, or the stream's view does not show it."""

    by_ttl: bool
    """Whether it was removed because its time had passed."""

    by_eviction: bool = False
    """Whether it was removed because the database was at its memory limit."""


def changes_of(text: str) -> list[Change]:
    """The records that kstone_stream_read gives."""
    return [_change(record) for record in json.loads(text)["Records"]]


def _change(record: dict[str, Any]) -> Change:
    change = record["dynamodb"]
    keys = {name: _value(typed) for name, typed in change["Keys"].items()}
    pk, sk = keys["pk"], keys.get("sk")
    principal = record.get("userIdentity", {}).get("principalId")

    def image(name: str) -> Item | None:
        if name not in change:
            return None
        item = Item({name: _value(typed) for name, typed in change[name].items()})
        item.pk, item.sk = pk, sk
        return item

    return Change(
        sequence=int(change["SequenceNumber"]),
        event=record["eventName"],
        pk=pk,
        sk=sk,
        new=image("NewImage"),
        old=image("OldImage"),
        by_ttl=principal == "dynamodb.amazonaws.com",
        by_eviction=principal == "kstone:eviction",
    )


def _value(typed: dict[str, Any]) -> Any:
    """What a value in DynamoDB's JSON is in Python."""
    ((kind, value),) = typed.items()
    match kind:
        case "N":
            return _number(value)
        case "B":
            return base64.b64decode(value)
        case "NULL":
            return None
        case "L":
            return [_value(element) for element in value]
        case "M":
            return {name: _value(entry) for name, entry in value.items()}
        case "SS":
            return set(value)
        case "NS":
            return {_number(text) for text in value}
        case "BS":
            return {base64.b64decode(text) for text in value}
        case _:
            return value


def _number(text: str) -> int | Decimal:
    return Decimal(text) if "." in text else int(text)
