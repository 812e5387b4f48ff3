"""DynamoDB's data model in memory: items of typed attributes under a partition key and an optional sort key.

>>> import kstone
>>> from decimal import Decimal
>>> db = kstone.open()
>>> db.put("ada", {"price": Decimal("12.50"), "tags": {"new"}}, sk="2024-05-17")
>>> db.put("ada", {"price": Decimal("3.00"), "tags": {"used"}}, sk="2024-06-01")
>>> for order in db.query("ada", begins_with="2024-05"):
...     print(order.sk, order["price"], order["tags"])
2024-05-17 12.5 {'new'}
>>> db.update("ada", "SET price = price - :p", {":p": 1}, sk="2024-06-01", returns="ALL_NEW")
{'price': 2, 'tags': {'used'}}
>>> db.close()

An `Account` has any number of tables behind DynamoDB's operations: its `call` takes the JSON that an SDK would send,
and gives the JSON that AWS would answer.

`open` makes a `Database`, whose `query` and `scan` give `Results`, whose `execute` gives `Rows`, and whose
`transaction` and `batch` collect operations. Items come out as `Item`, a dict that knows its key. What goes wrong is an
`Error`.
"""

from kstone._account import Account, AccountError, Response
from kstone._batch import Batch, Lookup, Operations, Transaction
from kstone._cursor import Cursor
from kstone._database import Database, Import, Returns, open
from kstone._errors import (
    AttributeTypeError,
    ClosedError,
    ConditionFailedError,
    ConflictError,
    CorruptError,
    Error,
    FileError,
    InternalError,
    InvalidError,
    LimitError,
    MisuseError,
    TrimmedError,
)
from kstone._item import Attributes, Item, Key, KeyPart, Value
from kstone._native import ffi, lib
from kstone._prepared import Prepared, PreparedDelete, PreparedPut, PreparedQuery, PreparedStatement, PreparedUpdate
from kstone._results import Page, Results, Rows
from kstone._schema import GlobalIndex, KeyAttribute, LocalIndex, Projection, Schema, Stream
from kstone._stream import Change

__version__: str = ffi.string(lib.kstone_version()).decode()

__all__ = [
    "Account",
    "AccountError",
    "AttributeTypeError",
    "Attributes",
    "Batch",
    "Change",
    "ClosedError",
    "ConditionFailedError",
    "ConflictError",
    "CorruptError",
    "Cursor",
    "Database",
    "Error",
    "FileError",
    "GlobalIndex",
    "Import",
    "InternalError",
    "InvalidError",
    "Item",
    "Key",
    "KeyAttribute",
    "KeyPart",
    "LimitError",
    "LocalIndex",
    "Lookup",
    "MisuseError",
    "Operations",
    "Page",
    "Prepared",
    "PreparedDelete",
    "PreparedPut",
    "PreparedQuery",
    "PreparedStatement",
    "PreparedUpdate",
    "Projection",
    "Response",
    "Results",
    "Returns",
    "Rows",
    "Schema",
    "Stream",
    "Transaction",
    "TrimmedError",
    "Value",
    "open",
]

# Public classes are known by their public name, in tracebacks too.
for _name in __all__:
    _public = globals()[_name]
    if isinstance(_public, type) or _name == "open":
        _public.__module__ = "kstone"
