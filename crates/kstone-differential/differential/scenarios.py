"""Scenarios: requests in their order to an account that is empty at first, a JSON object a line.

    name      a sentence
    setup     names of requests in setups.json that go before, each accepted
    steps     target, request (or raw: the body as text), status, body (what is expected)
    source    where the answers are known from
    sure      as in the cases of kstone-dynamodb

A step {"target":"⟪time⟫","request":1700000000} fixes the account's time.
"""

import json
import pathlib

from . import matching

# The target of a step that fixes the account's time, which kstone alone can do.
TIME = "⟪time⟫"
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "kstone-dynamodb/tests/cases/scenarios"


def setups():
    """The named requests."""
    return json.loads((FOLDER / "setups.json").read_text())


def load(path):
    """The scenarios of a file."""
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines() if line]


def save(path, scenarios):
    """Writes scenarios as they are read."""
    lines = [json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in scenarios]
    pathlib.Path(path).write_text("".join(f"{line}\n" for line in lines))


def can_run(peer, scenario):
    """Whether a peer has what a scenario needs."""
    return hasattr(peer, "set_time") or all(step["target"] != TIME for step in scenario["steps"])


def body_of(step, bound):
    """The bytes of a step's request, as text."""
    text = step["raw"] if "raw" in step else json.dumps(step["request"], ensure_ascii=False)
    return matching.written_out(matching.recalled(text, bound))


def prepare(peer, scenario, known):
    """An empty account and what goes before; says what a peer refuses of that."""
    peer.reset()
    for name in scenario.get("setup", ()):
        for step in known[name]:
            status, body = peer.call(step["target"], body_of(step, {}))
            if status != 200:
                return f"{step['target']}: {status} {body[:300].decode(errors='replace')}"
    return None
