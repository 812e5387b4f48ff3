"""The command behind scripts/differential."""

import argparse
import collections
import json
import sys

from . import generate, matching, peers, scenarios

PEERS = ["kstone", "dynoxide", "dynalite", "moto"]


class Tally:
    """What a peer did in a run."""

    def __init__(self):
        self.requests = 0
        self.kinds = collections.Counter()
        self.examples = []

    def add(self, name, step, found):
        """Counts a request, and its differences."""
        self.requests += 1
        if found:
            kind = matching.kind_of(found)
            self.kinds[kind] += 1
            self.examples.append((kind, name, step, found))


def short(value, length=400):
    """A value in a line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= length else text[:length] + "…"


def replay(peer, scenario, known, tally):
    """One scenario; ends at the first step that the peer accepts where it should not, or the reverse."""
    if not scenarios.can_run(peer, scenario):
        return
    refused = scenarios.prepare(peer, scenario, known)
    if refused:
        tally.add(scenario["name"], {"target": "setup"}, [("status", 200, refused)])
        return
    bound = {}
    for step in scenario["steps"]:
        if step["target"] == scenarios.TIME:
            peer.set_time(step["request"])
            continue
        try:
            body = scenarios.body_of(step, bound)
        except KeyError:
            return
        status, answer = peer.call(step["target"], body)
        found = matching.against(step, status, answer, bound)
        tally.add(scenario["name"], step, found)


def show(tallies, examples):
    """The report: a line a peer, a line a kind, and the first differences."""
    for name, tally in tallies.items():
        wrong = sum(tally.kinds.values())
        print(f"{name}: {tally.requests} requests, {wrong} answers differ ({100 * wrong / max(1, tally.requests):.1f} %)")
        for kind, count in tally.kinds.most_common():
            print(f"    {count:6} {kind}")
        for kind, scenario, step, found in tally.examples[:examples]:
            print(f"  - {scenario} [{kind}] {step['target']} {short(step.get('request', step.get('raw', '')), 600)}")
            for path, expected, actual in found[:4]:
                print(f"      {path}: {short(expected)}\n         not {short(actual)}")


def run(options):
    """Recorded scenarios through every peer."""
    known = scenarios.setups()
    files = options.files or sorted(scenarios.FOLDER.glob("*.jsonl"))
    loaded = [one for file in files for one in scenarios.load(file)]
    tallies = {}
    for name in options.peers:
        peer = peers.start(name, options.cache)
        tally = tallies[name] = Tally()
        try:
            for scenario in loaded:
                if options.only in scenario["name"] and scenario.get("cohort", "current") == "current":
                    replay(peer, scenario, known, tally)
        finally:
            peer.stop()
    show(tallies, options.examples)
    return tallies


def answers(peer, scenario, known):
    """What a peer answers to each step; None where it refuses what goes before."""
    if not scenarios.can_run(peer, scenario) or scenarios.prepare(peer, scenario, known):
        return None
    given, bound = [], {}
    for step in scenario["steps"]:
        if step["target"] == scenarios.TIME:
            peer.set_time(step["request"])
            given.append((200, None))
            continue
        try:
            status, body = peer.call(step["target"], scenarios.body_of(step, bound))
        except KeyError:
            return None
        if "status" in step:
            matching.against(step, status, body, bound)
        given.append((status, matching.normalised(body)))
    return given


def same(step, left, right):
    """Whether two peers answer the same."""
    wanted = {"target": step["target"], "status": left[0], "body": left[1], "unordered": step.get("unordered", ())}
    return left[0] == right[0] and matching.against(wanted, right[0], json.dumps(right[1]).encode(), {}) == []


def record(options):
    """Fills in the answers that scenarios do not have, with those of one peer, and names who says the same."""
    known = scenarios.setups()
    oracle, *others = options.peers
    started = {name: peers.start(name, options.cache) for name in options.peers}
    try:
        for file in options.files:
            loaded = scenarios.load(file)
            for scenario in loaded:
                if all("status" in step or step["target"] == scenarios.TIME for step in scenario["steps"]):
                    continue
                given = {name: answers(peer, scenario, known) for name, peer in started.items()}
                if given[oracle] is None:
                    print(f"{scenario['name']}: {oracle} refuses what goes before", file=sys.stderr)
                    continue
                fill_in(scenario, given, oracle, others)
            scenarios.save(file, loaded)
    finally:
        for peer in started.values():
            peer.stop()


def fill_in(scenario, given, oracle, others):
    """The oracle's answers into the steps that have none."""
    agree = set(others)
    for at, step in enumerate(scenario["steps"]):
        if "status" in step or step["target"] == scenarios.TIME:
            continue
        step["status"], body = given[oracle][at]
        step["body"] = json.loads(matching.shortened(json.dumps(body, ensure_ascii=False)))
        agree = {name for name in agree if given[name] and same(step, given[oracle][at], given[name][at])}
    names = sorted(agree)
    scenario.setdefault("source", oracle + ("" if not names else " and " + " and ".join(names)))
    scenario.setdefault("sure", "emulated")


def random(options):
    """Random requests: kstone's answers compared with each peer's, step by step."""
    known = scenarios.setups()
    made = [generate.scenario(options.seed + at) for at in range(options.count)]
    kstone = peers.start("kstone", options.cache)
    started = {name: peers.start(name, options.cache) for name in options.peers if name != "kstone"}
    tallies = {name: Tally() for name in started}
    try:
        for scenario in made:
            ours = answers(kstone, scenario, known)
            for name, peer in started.items():
                theirs = answers(peer, scenario, known)
                compare(scenario, ours, theirs, tallies[name])
    finally:
        for peer in [kstone, *started.values()]:
            peer.stop()
    show(tallies, options.examples)
    if options.save:
        scenarios.save(options.save, made)
    return tallies


def compare(scenario, ours, theirs, tally):
    """Two engines' answers to one scenario, up to the step where their tables may no longer be the same."""
    if ours is None or theirs is None:
        side = "kstone" if ours is None else "the peer"
        tally.add(scenario["name"], {"target": "setup"}, [("status", 200, f"{side} refuses what goes before")])
        return
    for step, mine, other in zip(scenario["steps"], ours, theirs):
        wanted = {"target": step["target"], "status": other[0], "body": other[1], "unordered": step.get("unordered", ())}
        found = matching.against(wanted, mine[0], json.dumps(mine[1]).encode(), {})
        tally.add(scenario["name"], step, found)
        if mine[0] != other[0] and step["target"] in generate.WRITES:
            return


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="scripts/differential", description=__doc__)
    parser.add_argument("--cache", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--peers", type=lambda text: text.split(","), default=PEERS, help="some of " + ",".join(PEERS))
    parser.add_argument("--examples", type=int, default=20, help="how many differences of each peer are shown")
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("run", help="replay recorded scenarios")
    verb.add_argument("files", nargs="*")
    verb.add_argument("--only", default="", help="scenarios whose name has this in it")
    verb.set_defaults(do=run)
    verb = verbs.add_parser("record", help="fill in answers that scenarios do not have; the first peer is the oracle")
    verb.add_argument("files", nargs="+")
    verb.set_defaults(do=record)
    verb = verbs.add_parser("random", help="random requests, kstone compared with each peer")
    verb.add_argument("--seed", type=int, default=1)
    verb.add_argument("--count", type=int, default=200, help="scenarios, of a dozen requests each")
    verb.add_argument("--save", help="write the scenarios there, without answers")
    verb.set_defaults(do=random)
    options = parser.parse_args()
    options.do(options)


if __name__ == "__main__":
    main()
