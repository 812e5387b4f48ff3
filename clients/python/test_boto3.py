"""The scenario of docs/clients.md in boto3: tables, documents, transactions, pages, streams and errors.

Clients, resources, waiters and paginators as a program has them; retries are off, so that an answer that only a second
attempt gets is a failure.
"""

from __future__ import annotations

import decimal
import os
from typing import Any, Iterator

import boto3
import botocore.config
import botocore.exceptions
import pytest
from boto3.dynamodb.conditions import Attr, Key

CONFIG = botocore.config.Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=20)
OPTIONS: dict[str, Any] = {
    "endpoint_url": os.environ["KSTONE_ENDPOINT"],
    "region_name": "us-east-1",
    "aws_access_key_id": "AKIDEXAMPLE",
    "aws_secret_access_key": "secret",
    "config": CONFIG,
}


@pytest.fixture
def client() -> Any:
    return boto3.client("dynamodb", **OPTIONS)


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A table with a sort key, both kinds of indexes and a stream; gone after the test."""
    resource = boto3.resource("dynamodb", **OPTIONS)
    made = resource.create_table(
        TableName="boto3-" + request.node.name.replace("[", "-").replace("]", ""),
        KeySchema=[
            {"AttributeName": "artist", "KeyType": "HASH"},
            {"AttributeName": "song", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "artist", "AttributeType": "S"},
            {"AttributeName": "song", "AttributeType": "S"},
            {"AttributeName": "year", "AttributeType": "N"},
            {"AttributeName": "genre", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-genre",
                "KeySchema": [
                    {"AttributeName": "genre", "KeyType": "HASH"},
                    {"AttributeName": "year", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "by-year",
                "KeySchema": [
                    {"AttributeName": "artist", "KeyType": "HASH"},
                    {"AttributeName": "year", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    made.wait_until_exists()
    yield made
    made.delete()
    made.wait_until_not_exists()


def test_tables(client: Any, table: Any) -> None:
    table.reload()
    assert table.table_status == "ACTIVE"
    assert table.table_arn.endswith(":table/" + table.name)
    names = [name for page in client.get_paginator("list_tables").paginate() for name in page["TableNames"]]
    assert table.name in names and names == sorted(names)
    client.tag_resource(ResourceArn=table.table_arn, Tags=[{"Key": "team", "Value": "music"}])
    tags = client.get_paginator("list_tags_of_resource").paginate(ResourceArn=table.table_arn)
    assert [tag for page in tags for tag in page["Tags"]] == [{"Key": "team", "Value": "music"}]
    client.update_time_to_live(
        TableName=table.name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
    )
    described = client.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
    assert described["AttributeName"] == "until"
    assert client.describe_continuous_backups(TableName=table.name)["ContinuousBackupsDescription"]
    with pytest.raises(client.exceptions.ResourceInUseException):
        client.create_table(
            TableName=table.name,
            KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def test_documents(table: Any) -> None:
    item = {
        "artist": "Nina Simone",
        "song": "Sinnerman",
        "year": 1965,
        "genre": "jazz",
        "length": decimal.Decimal("10.33"),
        "tags": {"live", "long"},
        "bytes": b"\x00\xff",
        "nothing": None,
        "loved": True,
        "where": {"city": "New York", "takes": [1, decimal.Decimal("2.5"), {"deep": "x" * 300}]},
    }
    table.put_item(Item=item)
    key = {"artist": "Nina Simone", "song": "Sinnerman"}
    found = table.get_item(Key=key, ConsistentRead=True)["Item"]
    assert found["bytes"].value == item["bytes"]
    assert {name: found[name] for name in found if name != "bytes"} == {
        name: item[name] for name in item if name != "bytes"
    }
    changed = table.update_item(
        Key=key,
        UpdateExpression="SET #w.takes[0] = #w.takes[0] + :one, plays = if_not_exists(plays, :zero) + :one"
        " REMOVE nothing ADD tags :more",
        ConditionExpression="loved = :yes AND contains(tags, :live)",
        ExpressionAttributeNames={"#w": "where"},
        ExpressionAttributeValues={":one": 1, ":zero": 0, ":more": {"loud"}, ":yes": True, ":live": "live"},
        ReturnValues="UPDATED_NEW",
    )["Attributes"]
    assert changed["plays"] == 1 and changed["tags"] == {"live", "long", "loud"}
    old = table.delete_item(Key=key, ReturnValues="ALL_OLD", ReturnConsumedCapacity="TOTAL")
    assert old["Attributes"]["plays"] == 1 and "nothing" not in old["Attributes"]
    assert old["ConsumedCapacity"]["TableName"] == table.name and old["ConsumedCapacity"]["CapacityUnits"] > 0
    assert "Item" not in table.get_item(Key=key)


def test_pages(client: Any, table: Any) -> None:
    with table.batch_writer() as batch:
        for at in range(120):
            batch.put_item(
                Item={"artist": "a", "song": f"{at:03}", "year": 2000 + at % 7, "genre": f"g{at % 2}", "pad": "x" * 20_000}
            )
    paginator = client.get_paginator("query")
    pages = list(
        paginator.paginate(
            TableName=table.name,
            KeyConditionExpression="artist = :a",
            ExpressionAttributeValues={":a": {"S": "a"}},
        )
    )
    assert len(pages) == 3, "pages of a megabyte"
    songs = [item["song"]["S"] for page in pages for item in page["Items"]]
    assert songs == [f"{at:03}" for at in range(120)]
    backwards = table.query(
        KeyConditionExpression=Key("artist").eq("a") & Key("song").between("010", "019"),
        ScanIndexForward=False,
        Limit=3,
    )
    assert [item["song"] for item in backwards["Items"]] == ["019", "018", "017"]
    assert backwards["LastEvaluatedKey"] == {"artist": "a", "song": "017"}
    by_genre = table.query(IndexName="by-genre", KeyConditionExpression=Key("genre").eq("g1"), Select="COUNT")
    counted = by_genre["Count"]
    while "LastEvaluatedKey" in by_genre:
        by_genre = table.query(
            IndexName="by-genre",
            KeyConditionExpression=Key("genre").eq("g1"),
            Select="COUNT",
            ExclusiveStartKey=by_genre["LastEvaluatedKey"],
        )
        counted += by_genre["Count"]
    assert counted == 60
    local = table.query(
        IndexName="by-year", KeyConditionExpression=Key("artist").eq("a") & Key("year").gte(2005), Limit=100
    )
    assert local["Count"] == 34 and set(local["Items"][0]) == {"artist", "song", "year"}
    scanned: set[str] = set()
    for segment in range(3):
        pages = client.get_paginator("scan").paginate(
            TableName=table.name,
            Segment=segment,
            TotalSegments=3,
            FilterExpression="genre = :g",
            ExpressionAttributeValues={":g": {"S": "g0"}},
        )
        scanned |= {item["song"]["S"] for page in pages for item in page["Items"]}
    assert len(scanned) == 60
    filtered = table.scan(FilterExpression=Attr("year").is_in([2001, 2002]) & Attr("song").begins_with("00"))
    assert {item["song"] for item in filtered["Items"]} == {"001", "002", "008", "009"}


def test_transactions(client: Any, table: Any) -> None:
    def put(song: str) -> dict[str, Any]:
        return {"Put": {"TableName": table.name, "Item": {"artist": {"S": "a"}, "song": {"S": song}}}}

    token = "11111111-2222-3333-4444-555555555555"
    for _ in range(2):
        client.transact_write_items(TransactItems=[put("x"), put("y")], ClientRequestToken=token)
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
        client.transact_write_items(TransactItems=[put("z")], ClientRequestToken=token)
    check = {
        "ConditionCheck": {
            "TableName": table.name,
            "Key": {"artist": {"S": "a"}, "song": {"S": "x"}},
            "ConditionExpression": "attribute_not_exists(song)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }
    with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
        client.transact_write_items(TransactItems=[put("z"), check])
    reasons = cancelled.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert reasons[1]["Item"] == {"artist": {"S": "a"}, "song": {"S": "x"}}
    gets = [{"Get": {"TableName": table.name, "Key": {"artist": {"S": "a"}, "song": {"S": song}}}} for song in "xyz"]
    found = client.transact_get_items(TransactItems=gets)["Responses"]
    assert [response.get("Item", {}).get("song", {}).get("S") for response in found] == ["x", "y", None]


def test_statements(client: Any, table: Any) -> None:
    client.execute_statement(
        Statement=f"INSERT INTO \"{table.name}\" VALUE {{'artist': ?, 'song': 's', 'n': 1}}", Parameters=[{"S": "a"}]
    )
    with pytest.raises(client.exceptions.DuplicateItemException):
        client.execute_statement(Statement=f"INSERT INTO \"{table.name}\" VALUE {{'artist': 'a', 'song': 's'}}")
    found = client.execute_statement(
        Statement=f'SELECT song, n FROM "{table.name}" WHERE artist = ?', Parameters=[{"S": "a"}]
    )
    assert found["Items"] == [{"song": {"S": "s"}, "n": {"N": "1"}}]


def test_streams(client: Any, table: Any) -> None:
    table.put_item(Item={"artist": "a", "song": "s", "n": 1})
    table.put_item(Item={"artist": "a", "song": "s", "n": 2})
    table.delete_item(Key={"artist": "a", "song": "s"})
    streams = boto3.client("dynamodbstreams", **OPTIONS)
    table.reload()
    shard = streams.describe_stream(StreamArn=table.latest_stream_arn)["StreamDescription"]["Shards"][0]
    iterator = streams.get_shard_iterator(
        StreamArn=table.latest_stream_arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = streams.get_records(ShardIterator=iterator)["Records"]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    assert records[1]["dynamodb"]["OldImage"]["n"] == {"N": "1"}
    assert records[1]["dynamodb"]["NewImage"]["n"] == {"N": "2"}
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    assert numbers == sorted(numbers) and len(set(numbers)) == 3


def test_errors(client: Any, table: Any) -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException) as missing:
        client.get_item(TableName="nothing-here", Key={"a": {"S": "b"}})
    assert missing.value.response["Error"]["Message"] == "Requested resource not found"
    assert len(missing.value.response["ResponseMetadata"]["RequestId"]) == 52
    table.put_item(Item={"artist": "a", "song": "s"})
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as failed:
        table.put_item(
            Item={"artist": "a", "song": "s"},
            ConditionExpression=Attr("song").not_exists(),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    assert failed.value.response["Item"] == {"artist": {"S": "a"}, "song": {"S": "s"}}
    with pytest.raises(botocore.exceptions.ClientError) as invalid:
        table.get_item(Key={"artist": "a"})
    assert invalid.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "The provided key element does not match the schema",
    }
