"""Comparing an answer with what is expected, field by field.

In texts of a scenario:
    ⟪a*300⟫       300 times `a`
    ⟪any⟫         any value at all; ⟪number⟫ any number; ⟪text⟫ any text
    ⟪as:NAME⟫     any text, which is remembered
    ⟪of:NAME⟫     the text that was remembered, in a request or in an answer
    {"⟪more⟫":true, …}   an object that may have further members
Lists that have no order in DynamoDB are compared as such: see UNORDERED. tests/scenarios/ of kstone-dynamodb does the same.
"""

import json
import re

UNORDERED = {
    "SS",
    "NS",
    "BS",
    "AttributeDefinitions",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "NonKeyAttributes",
    "Tags",
}
# In whichever order a table's partitions come.
UNORDERED_OF = {"Scan": {"Items"}}
MORE = "⟪more⟫"
REPEATED = re.compile("⟪([^⟪⟫*]+)\\*([0-9]+)⟫")
LONG_RUN = re.compile(r"([^\\⟪⟫])\1{99,}")
RECALLED = re.compile("⟪of:([a-z0-9_]+)⟫")
ARN = re.compile(r"arn:aws:dynamodb:[^:]*:[0-9]{12}:")
USER = re.compile(r"User: arn:aws:iam::[0-9]{12}:\S+ ")


def written_out(text):
    """The text with what is repeated written out."""
    return REPEATED.sub(lambda found: found[1] * int(found[2]), text)


def shortened(text):
    """The text with long runs of one character as a repetition."""
    return LONG_RUN.sub(lambda found: f"⟪{found[1]}*{len(found[0])}⟫", text)


def recalled(text, bound):
    """The text of a request with what was remembered in its place."""
    return RECALLED.sub(lambda found: json.dumps(bound[found[1]])[1:-1], text)


def normalised(body):
    """An answer's JSON with the one account and region that scenarios know; text where it is no JSON."""
    text = ARN.sub("arn:aws:dynamodb:us-east-1:000000000000:", body.decode(errors="replace"))
    text = USER.sub("User: arn:aws:iam::000000000000:user/kstone ", text)
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def is_batch_of_items(path):
    """Whether the place is the items of one table in a BatchGetItem's answer, which have no order."""
    return re.fullmatch(r"\.Responses\.[^.\[]+", path) is not None


def differences(expected, actual, bound, path="", unordered=frozenset()):
    """Where the answer is not as expected: a list of (path, expected, actual)."""
    if isinstance(expected, str) and expected.startswith("⟪") and expected.endswith("⟫"):
        return placeholder(expected, actual, bound, path)
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = []
        names = expected.keys() - {MORE} if MORE in expected else expected.keys() | actual.keys()
        for name in sorted(names):
            here = f"{path}.{name}"
            if name not in actual:
                found.append((here, expected[name], None))
            elif name not in expected:
                found.append((here, None, actual[name]))
            else:
                found += differences(expected[name], actual[name], bound, here, unordered)
        return found
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        name = path.rsplit(".", 1)[-1]
        if name in UNORDERED or path[1:] in unordered or is_batch_of_items(path):
            return in_any_order(expected, actual, bound, path)
        return [
            one
            for at, (left, right) in enumerate(zip(expected, actual))
            for one in differences(left, right, bound, f"{path}[{at}]", unordered)
        ]
    if isinstance(expected, bool) or isinstance(actual, bool):
        same = expected is actual
    else:
        same = expected == actual
    return [] if same else [(path, expected, actual)]


def in_any_order(expected, actual, bound, path):
    """Each of the one with one of the other."""
    left = list(actual)
    for wanted in expected:
        at = next((at for at, given in enumerate(left) if not differences(wanted, given, dict(bound))), None)
        if at is None:
            return [(path, expected, actual)]
        differences(wanted, left.pop(at), bound)
    return []


def placeholder(expected, actual, bound, path):
    """What stands for values that are not the same in every run."""
    what = expected[1:-1]
    if what == "any":
        same = True
    elif what == "number":
        same = isinstance(actual, (int, float)) and not isinstance(actual, bool)
    elif what == "text":
        same = isinstance(actual, str)
    elif what.startswith("as:"):
        same = isinstance(actual, str)
        bound[what[3:]] = actual
    elif what.startswith("of:"):
        same = actual == bound.get(what[3:])
    else:
        raise ValueError(f"{path}: {expected} means nothing")
    return [] if same else [(path, expected, actual)]


def kind_of(found):
    """What kind of difference an answer has; the first that applies."""
    paths = {path for path, _, _ in found}
    if "status" in paths:
        return "accepted or refused"
    if ".__type" in paths:
        return "exception"
    if paths & {".message", ".Message"}:
        return "message"
    if any(path.startswith(".ConsumedCapacity") for path in paths):
        return "capacity"
    if any(path.startswith(".LastEvaluatedKey") for path in paths):
        return "paging"
    if any(path.startswith((".Item", ".Attributes", ".Responses", ".Count", ".ScannedCount")) for path in paths):
        return "items"
    if any(path.startswith((".Table", ".TableDescription")) for path in paths):
        return "description of a table"
    return "other members"


def against(step, status, body, bound):
    """The differences between a step's expectation and an answer."""
    found = [] if step["status"] == status else [("status", step["status"], status)]
    expected = step.get("body")
    if isinstance(expected, (dict, list)):
        expected = json.loads(written_out(json.dumps(expected, ensure_ascii=False)))
    unordered = UNORDERED_OF.get(step["target"], frozenset()) | set(step.get("unordered", ()))
    return found + differences(expected, normalised(body), bound, "", unordered)
