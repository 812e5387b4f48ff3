"""The form of a schema, for type checkers: a dict like any other."""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

Projection: TypeAlias = Literal["ALL", "KEYS_ONLY"] | list[str]
"""Which attributes an index holds: all of them, which is the default, its keys alone, or besides them those named."""


class KeyAttribute(TypedDict):
    """An attribute of the table's key, and the type of its values."""

    name: str
    type: Literal["S", "N", "B"]


class LocalIndex(TypedDict):
    """An index with the table's partition key and a sort key of its own."""

    name: str
    sort_key: str | KeyAttribute
    projection: NotRequired[Projection]


class GlobalIndex(TypedDict):
    """An index with keys of its own: attributes of any types, or up to four with theirs."""

    name: str
    partition_key: str | KeyAttribute | list[KeyAttribute]
    sort_key: NotRequired[str | KeyAttribute | list[KeyAttribute]]
    projection: NotRequired[Projection]


class Stream(TypedDict):
    """What the change stream records, and how many records it keeps."""

    view_type: Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]
    capacity: NotRequired[int]


class Schema(TypedDict, total=False):
    """Keys, indexes, expiry and a change stream; all of them may be left out, and nothing else may be there.

    With a `partition_key` the table is typed: its items show their key attributes, as DynamoDB's do, and keys are given
    as the text of S and N, and the bytes of B. Without one keys are bytes.

    >>> import kstone
    >>> schema: kstone.Schema = {
    ...     "global_indexes": [{"name": "by-status", "partition_key": "status", "sort_key": "age"}],
    ...     "ttl_attribute": "expires_at",
    ... }
    >>> db = kstone.open(schema)
    >>> db["ada"] = {"status": "active", "age": 36}
    >>> [user.key for user in db.query("active", index="by-status")]
    ['ada']
    """

    name: str
    partition_key: KeyAttribute
    sort_key: KeyAttribute
    local_indexes: list[LocalIndex]
    global_indexes: list[GlobalIndex]
    ttl_attribute: str
    ttl_visible: bool
    stream: Stream
