"""The requests of DynamoDB's getting-started guide, sent to an account in this process.

A table of songs is made, filled, read, changed, queried, scanned and deleted.

    python examples/python/getting_started.py
"""

from __future__ import annotations

from typing import Any

import kstone


def key(artist: str, song: str) -> dict[str, Any]:
    """The key of a song."""
    return {"Artist": {"S": artist}, "SongTitle": {"S": song}}


def put(artist: str, song: str, album: str, awards: int) -> dict[str, Any]:
    """The request that puts a song."""
    return {
        "TableName": "Music",
        "Item": {**key(artist, song), "AlbumTitle": {"S": album}, "Awards": {"N": str(awards)}},
    }


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    (
        "CreateTable",
        {
            "TableName": "Music",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "Artist", "AttributeType": "S"},
                {"AttributeName": "SongTitle", "AttributeType": "S"},
            ],
            "KeySchema": [
                {"AttributeName": "Artist", "KeyType": "HASH"},
                {"AttributeName": "SongTitle", "KeyType": "RANGE"},
            ],
        },
    ),
    ("PutItem", put("No One You Know", "Call Me Today", "Somewhat Famous", 1)),
    ("PutItem", put("No One You Know", "Howdy", "Somewhat Famous", 2)),
    ("PutItem", put("Acme Band", "Happy Day", "Songs About Life", 10)),
    ("PutItem", put("Acme Band", "PartiQL Rocks", "Another Album Title", 8)),
    ("GetItem", {"TableName": "Music", "ConsistentRead": True, "Key": key("Acme Band", "Happy Day")}),
    (
        "UpdateItem",
        {
            "TableName": "Music",
            "Key": key("Acme Band", "Happy Day"),
            "UpdateExpression": "SET AlbumTitle = :newval",
            "ExpressionAttributeValues": {":newval": {"S": "Updated Album Title"}},
            "ReturnValues": "ALL_NEW",
        },
    ),
    (
        "Query",
        {
            "TableName": "Music",
            "KeyConditionExpression": "Artist = :name",
            "ExpressionAttributeValues": {":name": {"S": "Acme Band"}},
        },
    ),
    (
        "Scan",
        {
            "TableName": "Music",
            "FilterExpression": "Awards < :few",
            "ExpressionAttributeValues": {":few": {"N": "2"}},
        },
    ),
    ("DeleteTable", {"TableName": "Music"}),
    # What AWS refuses is an answer too, unless check=True makes an exception of it.
    ("GetItem", {"TableName": "Music", "Key": key("Acme Band", "Happy Day")}),
]


def main() -> None:
    """Print what AWS would answer, but for descriptions of tables, which are long and never the same."""
    with kstone.Account() as account:
        for operation, body in REQUESTS:
            answer = account.call(operation, body)
            shown = "" if "Table" in operation else f" {answer.body.decode()}"
            print(f"{operation}: {answer.status}{shown}")


if __name__ == "__main__":
    main()
