"""The engines that are compared: each starts on a free port or as a child process, takes requests and is made empty again."""

import http.client
import itertools
import json
import os
import socket
import subprocess
import time

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=kstone/20260101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host;x-amz-date;x-amz-target, Signature=" + "0" * 64
)
# Peers take a moment for these, whatever their options say.
CHANGES_OF_TABLES = ("CreateTable", "UpdateTable", "DeleteTable")
START_SECONDS = 60
CALL_SECONDS = 60


def target_of(operation):
    """The header X-Amz-Target of an operation's name."""
    if "." in operation:
        return operation
    of_streams = operation in ("ListStreams", "DescribeStream", "GetShardIterator", "GetRecords")
    return ("DynamoDBStreams_20120810." if of_streams else "DynamoDB_20120810.") + operation


def free_port():
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    """A peer that listens on a port of the loopback interface."""

    def __init__(self, name, command, log, environment=None):
        self.name = name
        self.port = free_port()
        self.log = open(log, "wb")
        command = [part.replace("{port}", str(self.port)) for part in command]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env={**os.environ, **(environment or {})}
        )
        self.connection = None
        self.await_port()

    def await_port(self):
        """Returns when the peer answers; fails where it has ended or does not come up."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}; see {self.log.name}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not listen after {START_SECONDS} s")

    def request(self, method, path, body, headers):
        """One request over a connection that is kept; made anew once where the peer has closed it."""
        for attempt in itertools.count():
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CALL_SECONDS)
            try:
                self.connection.request(method, path, body, headers)
                answer = self.connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, ConnectionError):
                self.connection.close()
                self.connection = None
                if attempt > 0:
                    raise

    def call(self, operation, body):
        """The status and the body of the answer; waits until a table that was changed can be used."""
        status, answer = self.send(operation, body)
        if status == 200 and operation in CHANGES_OF_TABLES:
            self.settle(json.loads(body).get("TableName", ""))
        return status, answer

    def settle(self, table):
        """Waits while a table is being made, changed or dropped."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            status, answer = self.send("DescribeTable", json.dumps({"TableName": table}))
            if status != 200:
                return
            described = json.loads(answer)["Table"]
            states = [one.get("IndexStatus", "ACTIVE") for one in described.get("GlobalSecondaryIndexes", [])]
            if {described.get("TableStatus", "ACTIVE"), *states} <= {"ACTIVE"}:
                return
            time.sleep(0.002)

    def send(self, operation, body):
        """One request, as an SDK sends it."""
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": target_of(operation),
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": AUTHORIZATION,
        }
        return self.request("POST", "/", body.encode(), headers)

    def reset(self):
        """Drops every table."""
        while True:
            names = json.loads(self.call("ListTables", "{}")[1]).get("TableNames", [])
            if not names:
                return
            for name in names:
                unlock = {"TableName": name, "DeletionProtectionEnabled": False}
                if self.call("DeleteTable", json.dumps({"TableName": name}))[0] != 200:
                    self.call("UpdateTable", json.dumps(unlock))

    def stop(self):
        """Ends the process."""
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


class Moto(Served):
    """moto has a way of its own to drop everything."""

    def reset(self):
        self.request("POST", "/moto-api/reset", b"", {})


class Piped:
    """kstone: a child process that reads a request a line and writes an answer a line."""

    def __init__(self, name, command):
        self.name = name
        self.command = command
        self.start()

    def start(self):
        """Starts the process, also anew after a panic."""
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def exchange(self, message):
        """One line there, one line back."""
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.start()
            return {"status": 599, "body": "the process ended"}
        return json.loads(line)

    def call(self, operation, body):
        """The status and the body of the answer."""
        answer = self.exchange({"target": target_of(operation), "body": body})
        return answer["status"], answer["body"].encode()

    def set_time(self, seconds):
        """Fixes the account's time."""
        self.exchange({"time": seconds})

    def reset(self):
        """Begins with a new account."""
        self.exchange({"reset": True})

    def stop(self):
        """Ends the process, which ends at the end of its input."""
        self.process.stdin.close()
        self.process.wait(10)


def start(name, cache):
    """Starts a peer that scripts/differential has installed in the folder `cache`."""
    log = f"{cache}/{name}.output"
    if name == "kstone":
        return Piped(name, [f"{cache}/kstone/debug/kstone-differential"])
    if name == "dynoxide":
        return Served(name, [f"{cache}/dynoxide/bin/dynoxide", "--port", "{port}"], log)
    if name == "dynalite":
        script = f"{cache}/dynalite/node_modules/dynalite/cli.js"
        times = ["--createTableMs", "0", "--updateTableMs", "0", "--deleteTableMs", "0"]
        return Served(name, ["node", script, "--host", "127.0.0.1", "--port", "{port}", *times], log)
    if name == "moto":
        command = [f"{cache}/moto/bin/moto_server", "-H", "127.0.0.1", "-p", "{port}"]
        return Moto(name, command, log, {"MOTO_DISABLE_GLOBAL_CORS": "1"})
    raise ValueError(f"no peer is called {name}")
