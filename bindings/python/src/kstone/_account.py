"""Accounts: DynamoDB's operations on tables in memory. `Account` says what holds of threads and processes."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

from kstone._calls import Handle, Owner, bytes_of, check, new_error, owned, text_of
from kstone._database import INT64_MAX, UINT32_MAX, UINT64_MAX, Database
from kstone._errors import InvalidError
from kstone._item import text_bytes, within
from kstone._native import ffi, lib

Body: TypeAlias = Mapping[str, Any] | bytes | str | None
"""The JSON of a request: a dict, or text that is JSON already; None stands for {}."""

_OF_STREAMS = {"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"}
_EVICTIONS = {"NONE": lib.KSTONE_EVICT_NONE, "LRU": lib.KSTONE_EVICT_LRU}
_EXPIRED = {"VISIBLE": lib.KSTONE_TTL_VISIBLE, "HIDDEN": lib.KSTONE_TTL_HIDDEN}
_TEXTS = {"CURRENT": lib.KSTONE_TEXTS_CURRENT, "CLASSIC": lib.KSTONE_TEXTS_CLASSIC}


class AccountError(Exception):
    """Why AWS would refuse a request: what `Response.check` raises, and `Account.call` with `check=True`.

    No `kstone.Error`: the library did what it was asked to.

    >>> import kstone
    >>> account = kstone.Account()
    >>> try:
    ...     account.call("DescribeTable", {"TableName": "Music"}, check=True)
    ... except kstone.AccountError as error:
    ...     print(error.status, error.code, error.message, sep="; ")
    400; ResourceNotFoundException; Requested resource not found: Table: Music not found
    """

    status: int
    """The status of the HTTP answer: 400 and above."""

    code: str
    """The name of the exception, such as "ConditionalCheckFailedException"."""

    message: str
    """What is wrong, in AWS's words; "" where the exception has none."""

    response: Response
    """The whole answer: it may say more, such as the reasons of a transaction."""

    def __init__(self, response: Response) -> None:
        self.status = response.status
        said = response.json()
        self.code = str(said.get("__type", "RequestEntityTooLarge")).rpartition("#")[2]
        self.message = str(said.get("message") or said.get("Message") or "")
        self.response = response
        super().__init__(f"{self.code}: {self.message}" if self.message else self.code)


class Response(Mapping[str, Any]):
    """An answer: a mapping of its members, as the JSON has them. It outlives its account.

    >>> import kstone
    >>> answer = kstone.Account().call("ListTables")
    >>> answer.status, answer.body, answer["TableNames"]
    (200, b'{"TableNames":[]}', [])
    """

    __slots__ = ("_handle", "_members")

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._members: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"<kstone.Response {self.status} {self.body.decode()}>"

    def __getitem__(self, member: str) -> Any:
        try:
            return self.json()[member]
        except KeyError as missing:
            if self.ok:
                raise
            raise KeyError(f"{member!r}, of a request that was refused: {AccountError(self)}") from missing

    def __iter__(self) -> Iterator[str]:
        return iter(self.json())

    def __len__(self) -> int:
        return len(self.json())

    @property
    def status(self) -> int:
        """The status of the HTTP answer that AWS would give: 200; 400 and above for what it refuses."""
        return int(lib.kstone_response_http_status(self._handle))

    @property
    def ok(self) -> bool:
        """Whether AWS would carry out the request."""
        return self.status == 200

    @property
    def body(self) -> bytes:
        """JSON, as AWS would send it."""
        return bytes_of(lib.kstone_response_body(self._handle))

    @property
    def crc32(self) -> int:
        """The CRC-32 of the body, which AWS sends as x-amz-crc32."""
        return int(lib.kstone_response_crc32(self._handle))

    @property
    def request_id(self) -> str:
        """What AWS sends as x-amzn-RequestId: 52 capital letters and digits."""
        return text_of(lib.kstone_response_request_id(self._handle))

    def json(self) -> dict[str, Any]:
        """The body, read once: the same dict each time."""
        if self._members is None:
            self._members = json.loads(self.body or b"{}")
        return self._members

    def check(self) -> Self:
        """The response itself; raises an `AccountError` where AWS would refuse the request."""
        if not self.ok:
            raise AccountError(self)
        return self


class Account(Owner):
    """Tables in memory behind DynamoDB's operations: what an SDK would send goes in, what AWS would answer comes out.

    It costs microseconds and a few KiB; all is gone when it is closed, at the end of a with block, or with the last
    reference to it. Any number of threads may use it at once; the GIL is released in every call. Of forks holds what
    `Database` says.

    `region` and `account_id` (twelve digits) are what ARNs name. `memory_max_bytes` is what all tables may take, 0 (no
    limit) or at least 1 MiB; a write that does not fit is refused, or with `eviction="LRU"` drops what was not used for
    longest. `time` is what the account shows until `set_time`, in seconds since 1970. A new table is CREATING for
    `transition_seconds`. Items whose time to live has passed are shown until they are removed, as DynamoDB does, or
    with `expired="HIDDEN"` gone at once. `texts="CLASSIC"` gives refusals the texts of the regions that AWS has not
    moved to its new validation. `files_root` is the folder whose folders are the buckets of exports and imports. Raises
    `InvalidError` for an option out of its range.

    >>> import kstone
    >>> with kstone.Account(region="eu-central-1") as account:
    ...     name = {"AttributeName": "Artist", "AttributeType": "S"}
    ...     key = {"AttributeName": "Artist", "KeyType": "HASH"}
    ...     music = {"TableName": "Music", "AttributeDefinitions": [name], "KeySchema": [key]}
    ...     made = account.call("CreateTable", {**music, "BillingMode": "PAY_PER_REQUEST"}, check=True)
    ...     item = {"Artist": {"S": "No One You Know"}, "Awards": {"N": "1"}}
    ...     account.call("PutItem", {"TableName": "Music", "Item": item}).status
    ...     account.call("GetItem", {"TableName": "Music", "Key": {"Artist": {"S": "No One You Know"}}})["Item"]
    ...     account.table("Music")["No One You Know"]["Awards"]
    200
    {'Artist': {'S': 'No One You Know'}, 'Awards': {'N': '1'}}
    1
    """

    __slots__ = ()

    _what = "account"

    def __init__(
        self,
        *,
        region: str | None = None,
        account_id: str | None = None,
        files_root: str | os.PathLike[str] | None = None,
        memory_max_bytes: int = 0,
        eviction: Literal["NONE", "LRU"] = "NONE",
        time: int = 0,
        transition_seconds: int = 0,
        expired: Literal["VISIBLE", "HIDDEN"] = "VISIBLE",
        texts: Literal["CURRENT", "CLASSIC"] = "CURRENT",
        background_compaction: bool = False,
    ) -> None:
        how = ffi.new("kstone_account_options *")
        how.struct_size = ffi.sizeof("kstone_account_options")
        kept = []
        texts_given = {
            "region": None if region is None else text_bytes(region),
            "account_id": None if account_id is None else text_bytes(account_id),
            "files_root": None if files_root is None else os.fsencode(files_root),
        }
        for name, given in texts_given.items():
            if given is not None:
                kept.append(ffi.from_buffer(given))
                setattr(how, name, ffi.cast("char *", kept[-1]))
                setattr(how, f"{name}_len", len(given))
        how.memory_max_bytes = within("memory_max_bytes", memory_max_bytes, UINT64_MAX)
        how.epoch_seconds = within("time", time, INT64_MAX, least=-INT64_MAX)
        how.transition_seconds = within("transition_seconds", transition_seconds, UINT32_MAX)
        how.eviction = _one_of("eviction", _EVICTIONS, eviction)
        how.ttl = _one_of("expired", _EXPIRED, expired)
        how.texts = _one_of("texts", _TEXTS, texts)
        how.flags = lib.KSTONE_OPEN_BACKGROUND_COMPACTION if background_compaction else 0
        out, error = ffi.new("kstone_account **"), new_error()
        check(lib.kstone_account_open(how, out, error), error)
        super().__init__(owned(out[0]))

    def __repr__(self) -> str:
        return f"<kstone.Account, {'closed' if self.closed else 'open'}, at {id(self):#x}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(self, operation: str, body: Body = None, *, check: bool = False) -> Response:
        """Carry out one request: an operation's name, such as "PutItem", and its JSON.

        `body` is a dict as the JSON has it, in which bytes may stand for their base64; or the JSON as text. `operation`
        may also be what SDKs send as X-Amz-Target.

        A request that AWS would refuse is an answer, with status 400, unless `check` is true: then it is an
        `AccountError`. Raises `ClosedError`.
        """
        if "." not in operation:
            service = "DynamoDBStreams" if operation in _OF_STREAMS else "DynamoDB"
            operation = f"{service}_20120810.{operation}"
        target, request = text_bytes(operation), _json_of(body)
        out = ffi.new("kstone_response **")
        self._run(lib.kstone_account_call, target, len(target), request, len(request), out)
        response = Response(owned(out[0]))
        return response.check() if check else response

    def table(self, name: str) -> Database:
        """The table of this name as a database: the same items, without JSON.

        What belongs to the account is an `InvalidError` there: `configure`, `set_time` and `snapshot_load`. So is every
        call once the table is deleted. It may be closed before the account or after it.

        Raises `InvalidError`, named ResourceNotFoundException, where there is no such table; `ClosedError`.
        """
        text = text_bytes(name)
        return Database(self._out("kstone_db", lib.kstone_account_table, text, len(text)))

    def fork(self) -> Account:
        """An account of its own that holds what this one holds now, all tables at one moment, and shares its memory.

        Writes on either side never show on the other, and each is closed for itself. It costs some tens of microseconds
        for each table. Raises `ClosedError`.
        """
        fork = Account.__new__(Account)
        Owner.__init__(fork, self._out("kstone_account", lib.kstone_account_fork))
        return fork

    def snapshot_save(self, path: str | os.PathLike[str]) -> None:
        """Write all tables as they are now to a file, as `Database.snapshot_save` does."""
        name = os.fsencode(path)
        self._run(lib.kstone_account_snapshot_save, name, len(name))

    def snapshot_load(self, path: str | os.PathLike[str]) -> None:
        """Add the tables of a file: all of them appear at once, after all of it was checked.

        Raises as `Database.snapshot_load`, and `InvalidError` where there is a table of one of the names.
        """
        name = os.fsencode(path)
        self._run(lib.kstone_account_snapshot_load, name, len(name))

    def stats(self) -> dict[str, Any]:
        """Numbers about the account, as `kstone_account_stats_json` of `kstone.h` says them."""
        numbers: dict[str, Any] = json.loads(self._text(lib.kstone_account_stats_json) or "{}")
        return numbers

    def set_time(self, epoch_seconds: int) -> None:
        """Fix the time of the account, in seconds since 1970; 0 goes back to the system's clock. For tests."""
        self._run(lib.kstone_account_set_time, within("epoch_seconds", epoch_seconds, INT64_MAX, least=-INT64_MAX))


def _one_of(name: str, numbers: dict[str, int], chosen: str) -> int:
    if chosen not in list(numbers):
        raise InvalidError(f"{name} is {chosen!r}, and may be one of {', '.join(numbers)}")
    return numbers[chosen]


def _json_of(body: Body) -> bytes:
    match body:
        case None:
            return b"{}"
        case bytes():
            return body
        case str():
            return text_bytes(body)
        case _:
            return json.dumps(body, default=_plain, separators=(",", ":")).encode()


def _plain(value: object) -> Any:
    """What JSON has for what it does not know."""
    match value:
        case bytes() | bytearray() | memoryview():
            return b64encode(value).decode()
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(f"a request holds what JSON does, and bytes, not {value!r:.60}")
