"""Accounts: DynamoDB's operations, and their tables as databases."""

from __future__ import annotations

import gc
import json
import pickle
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest

import kstone

MUSIC = {
    "TableName": "Music",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "Artist", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "Artist", "KeyType": "HASH"}],
}
PUT = {"TableName": "Music", "Item": {"Artist": {"S": "Acme"}, "n": {"N": "1"}}}
GET = {"TableName": "Music", "Key": {"Artist": {"S": "Acme"}}}


@pytest.fixture
def account() -> kstone.Account:
    account = kstone.Account()
    account.call("CreateTable", MUSIC, check=True)
    account.call("PutItem", PUT, check=True)
    return account


def test_it_answers_as_aws_does(account: kstone.Account) -> None:
    for body in (GET, json.dumps(GET), json.dumps(GET).encode()):
        for operation in ("GetItem", "DynamoDB_20120810.GetItem"):
            answer = account.call(operation, body)
            assert answer.ok
            assert answer == {"Item": PUT["Item"]}
            assert answer.body == b'{"Item":{"Artist":{"S":"Acme"},"n":{"N":"1"}}}'
    assert account.call("ListTables")["TableNames"] == ["Music"]
    assert account.call("PutItem", PUT).crc32 == 2745614147
    assert len(answer.request_id) == 52
    assert answer.request_id == answer.request_id
    assert list(answer) == ["Item"]
    assert len(answer) == 1
    assert repr(answer).startswith("<kstone.Response 200 {")


def test_bytes_stand_for_their_base64(account: kstone.Account) -> None:
    for cover in (b"\xff\x00", bytearray(b"\xff\x00"), memoryview(b"\xff\x00")):
        item = {"Artist": {"S": "a"}, "cover": {"B": cover}}
        account.call("PutItem", {"TableName": "Music", "Item": item}, check=True)
        found = account.call("GetItem", {"TableName": "Music", "Key": {"Artist": {"S": "a"}}})
        assert found["Item"]["cover"] == {"B": "/wA="}
    with pytest.raises(TypeError, match="what JSON does"):
        account.call("PutItem", {"TableName": "Music", "Item": {1, 2}})


def test_what_aws_refuses_is_an_answer(account: kstone.Account) -> None:
    refused = account.call("GetItem", {"TableName": "Nobody", "Key": {"a": {"S": "b"}}})
    assert (refused.status, refused.ok) == (400, False)
    assert refused["__type"].endswith("#ResourceNotFoundException")
    with pytest.raises(KeyError, match=r"'Item'.*refused: ResourceNotFoundException: Requested resource not found"):
        refused["Item"]
    assert refused.get("Item") is None
    assert "Item" not in refused
    with pytest.raises(kstone.AccountError, match=r"^ResourceNotFoundException: ") as raised:
        refused.check()
    assert (raised.value.status, raised.value.code) == (400, "ResourceNotFoundException")
    assert "not found" in raised.value.message
    assert raised.value.response is refused
    with pytest.raises(KeyError, match="refused: UnknownOperationException"):
        account.call("Nothing")["Item"]
    with pytest.raises(kstone.AccountError, match=r"^UnknownOperationException$"):
        account.call("Nothing", check=True)
    with pytest.raises(kstone.AccountError) as raised:
        account.call("PutItem", {"TableName": 7}, check=True)
    assert raised.value.code == "SerializationException"
    assert raised.value.message
    with pytest.raises(kstone.AccountError) as raised:
        account.call("PutItem", b" " * (16 * 1024 * 1024 + 1), check=True)
    assert (raised.value.status, raised.value.response.body) == (413, b"")
    assert account.call("", b"{}").status == 400


def test_a_response_outlives_its_account(account: kstone.Account) -> None:
    answer = account.call("GetItem", GET)
    account.close()
    gc.collect()
    assert answer["Item"] == PUT["Item"]


def test_a_table_is_a_database_of_the_same_items(account: kstone.Account) -> None:
    music = account.table("Music")
    assert music["Acme"] == {"Artist": "Acme", "n": 1}
    music["Acme"] = {"n": 2}
    assert account.call("GetItem", GET)["Item"]["n"] == {"N": "2"}
    with pytest.raises(kstone.InvalidError, match="table of an account"):
        music.set_time(5)
    with pytest.raises(kstone.InvalidError, match="table of an account"):
        music.configure(None)
    with pytest.raises(kstone.InvalidError, match="Nobody") as raised:
        account.table("Nobody")
    assert raised.value.name == "ResourceNotFoundException"
    account.call("DeleteTable", {"TableName": "Music"}, check=True)
    with pytest.raises(kstone.InvalidError, match="deleted"):
        music.get("Acme")


def test_forks_and_snapshots(account: kstone.Account, tmp_path: Path) -> None:
    file = tmp_path / "account"
    fork, loaded = account.fork(), kstone.Account()
    account.snapshot_save(file)
    account.call("DeleteTable", {"TableName": "Music"}, check=True)
    loaded.snapshot_load(file)
    for other in (fork, loaded):
        assert other.call("GetItem", GET) == {"Item": PUT["Item"]}
        assert other.stats()["tables"]["Music"]["items"] == 1
    assert account.call("GetItem", GET).status == 400
    with pytest.raises(kstone.InvalidError):
        loaded.snapshot_load(file)
    with pytest.raises(kstone.FileError):
        loaded.snapshot_load(tmp_path / "nothing")
    account.close()
    with pytest.raises(kstone.ClosedError):
        account.fork()


def test_options(tmp_path: Path) -> None:
    account = kstone.Account(
        region="eu-central-1",
        account_id="123456789012",
        files_root=tmp_path,
        memory_max_bytes=1 << 20,
        eviction="LRU",
        time=1_500_000_000,
        expired="HIDDEN",
        texts="CLASSIC",
        background_compaction=True,
    )
    table = account.call("CreateTable", MUSIC)["TableDescription"]
    assert table["TableArn"] == "arn:aws:dynamodb:eu-central-1:123456789012:table/Music"
    assert table["CreationDateTime"] == 1_500_000_000
    account.set_time(1_600_000_000)
    refused = account.call("PutItem", {"TableName": "Music", "Item": {"a": {"SS": []}}})
    assert refused["message"].startswith("One or more")


@pytest.mark.parametrize(
    "wrong",
    [
        {"region": "EU"}, {"region": ""}, {"account_id": "1"}, {"memory_max_bytes": 1}, {"memory_max_bytes": -1},
        {"eviction": "LRU"}, {"eviction": "lru"}, {"expired": "GONE"}, {"texts": "OLD"}, {"transition_seconds": -1},
        {"time": 1 << 63},
    ],
)  # fmt: skip
def test_options_out_of_their_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(kstone.InvalidError):
        kstone.Account(**wrong)
    with pytest.raises(TypeError):
        kstone.Account(region=7)  # type: ignore[arg-type]


def test_a_closed_account_says_so(account: kstone.Account) -> None:
    with account:
        assert not account.closed
    account.close()
    assert account.closed
    assert "closed" in repr(account)
    with pytest.raises(kstone.ClosedError, match="the account is closed"):
        account.call("ListTables")
    with pytest.raises(kstone.ClosedError, match="the account is closed"):
        account.table("Music")
    with pytest.raises(kstone.ClosedError, match="the account is closed"):
        account.set_time(1)


def test_an_account_is_freed_with_its_last_reference() -> None:
    account = kstone.Account()
    gone = weakref.ref(account)
    del account
    assert gone() is None
    with pytest.raises(TypeError):
        pickle.dumps(kstone.Account())


def test_many_threads_use_one(account: kstone.Account) -> None:
    wrong: list[kstone.Response] = []

    def work() -> None:
        for _ in range(200):
            account.call("PutItem", PUT)
            answer = account.call("GetItem", GET)
            if answer != {"Item": PUT["Item"]}:
                wrong.append(answer)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
