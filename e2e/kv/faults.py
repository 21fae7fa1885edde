"""What is done to a cluster while clients use it. Each fault takes a Trial and its random numbers, does
its harm for a while and undoes it; the trial calls them again and again until its time is over."""
import json
import os
import shutil
import subprocess
import time

from cluster import TrialError

FAIL_OVER_LOOK_S = 12
OUTAGE_MAX_S = 6
TWINS_END_S = 20
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


def some_node(trial, random):
    return random.choice(sorted(trial.cluster.members()))


def none(trial, random):
    """Nothing is done to it."""
    trial.wait(random.uniform(1, 2))


def kill(trial, random):
    """SIGKILL for one node, sometimes for more, even all."""
    nodes = sorted(trial.cluster.members())
    count = random.choice((1, 1, 1, 2, len(nodes)))
    victims = random.sample(nodes, count)
    trial.say(f"kill {victims}")
    for node in victims:
        trial.cluster.kill(node)
    trial.wait(random.uniform(0.05, 2.5))
    random.shuffle(victims)
    for node in victims:
        trial.cluster.start(node)
        if random.random() < 0.5:
            trial.wait(random.uniform(0, 0.5))
    if random.random() < 0.8:  # else it may be killed again before it is ready
        for node in victims:
            trial.cluster.await_ready(node)
    trial.wait(random.uniform(0.2, 2))


def kill_one(trial, random):
    """SIGKILL for one node."""
    node = some_node(trial, random)
    trial.say(f"kill {node}")
    trial.wait(1)
    trial.cluster.kill(node)
    trial.wait(2)
    trial.cluster.start(node)
    trial.cluster.await_ready(node)
    trial.wait(trial.seconds)


def kill_one_quickly(trial, random):
    """SIGKILL for one node, which is started again at once."""
    node = some_node(trial, random)
    trial.say(f"kill {node}")
    trial.cluster.kill(node)
    trial.cluster.start(node)
    trial.cluster.await_ready(node)


def kill_two(trial, random):
    """Two at a time of five. Where both had a copy, one of three is left and nothing is done; what was
    acknowledged is kept, and all goes on when they are back."""
    victims = random.sample(sorted(trial.cluster.members()), 2)
    before = trial.count_done()
    trial.say(f"kill {victims}")
    for node in victims:
        trial.cluster.kill(node)
    trial.wait(random.uniform(1, 4))
    trial.say(f"{trial.count_done() - before} done meanwhile")
    for node in victims:
        trial.cluster.start(node)
    for node in victims:
        trial.cluster.await_ready(node)
    trial.wait(random.uniform(0.5, 1.5))


def pause(trial, random):
    """SIGSTOP: a node that does not know that time went by."""
    node = some_node(trial, random)
    seconds = random.choice((0.1, 0.7, 1.5, 3, 6, 12, 30) if trial.is_long else (0.1, 0.7, 1.5, 3, 6))
    trial.say(f"pause {node} for {seconds} s")
    trial.cluster.pause(node)
    trial.wait(seconds)
    trial.cluster.resume(node)
    trial.wait(random.uniform(0.2, 2))


def rolling(trial, random):
    """SIGTERM for each in turn, as an upgrade does it: clients of the others must hardly notice."""
    for node in sorted(trial.cluster.members()):
        seconds = trial.cluster.stop(node)
        trial.say(f"stopped {node} in {seconds:.2f} s")
        trial.wait(random.uniform(0.2, 1))
        trial.cluster.start(node)
        trial.cluster.await_ready(node)
        trial.wait(random.uniform(0.5, 1.5))


def cut(trial, random):
    """Nodes that do not hear each other: one alone, one-way, or only through a third."""
    nodes = sorted(trial.cluster.members())
    random.shuffle(nodes)
    alone, others = nodes[0], nodes[1:]
    form = random.choice(("alone", "deaf", "mute", "pair", "one way", "halves"))
    if form == "alone":
        rules = [(alone, 0), (0, alone)]
    elif form == "deaf":
        rules = [(0, alone)]
    elif form == "mute":
        rules = [(alone, 0)]
    elif form == "pair":
        rules = [(alone, others[0]), (others[0], alone)]
    elif form == "one way":
        rules = [(alone, others[0])]
    else:
        half = nodes[: len(nodes) // 2]
        rules = [(a, b) for a in nodes for b in nodes if (a in half) != (b in half)]
    seconds = random.uniform(0.3, 8 if not trial.is_long else 25)
    trial.say(f"cut: {form} {nodes} for {seconds:.1f} s")
    trial.network.rule([{"from": a, "to": b, "loss": 1.0} for a, b in rules])
    trial.wait(seconds)
    trial.network.heal()
    trial.wait(random.uniform(0.3, 2))


def fail_over(trial, random):
    """One node after the other gets lost in each way there is; for how long some key could not be written
    at the others."""
    nodes = sorted(trial.cluster.members())
    forms = {"alone": lambda node: [(node, 0), (0, node)], "deaf": lambda node: [(0, node)],
             "mute": lambda node: [(node, 0)],
             "one way": lambda node: [(node, random.choice([one for one in nodes if one != node]))]}
    for node in nodes:
        trial.cluster.pause(node)
        report_outage(trial, "paused", node, [one for one in nodes if one != node])
        trial.cluster.resume(node)
        trial.wait(2)
        trial.cluster.kill(node)
        report_outage(trial, "killed", node, [one for one in nodes if one != node])
        trial.cluster.start(node)
        trial.cluster.await_ready(node)
        trial.wait(2)
    for form, rules in forms.items():
        for node in nodes:
            trial.network.rule([{"from": a, "to": b, "loss": 1.0} for a, b in rules(node)])
            report_outage(trial, form, node, [one for one in nodes if one != node])
            trial.network.heal()
            trial.wait(2)


def report_outage(trial, form, node, others):
    longest, worst = longest_outage(trial, others, FAIL_OVER_LOOK_S)
    trial.say(f"{form} {node}: for {longest:.1f} s a key could not be written at others")
    if longest > OUTAGE_MAX_S:
        trial.problem(f"with node {node} {form} {len(worst)} of the probed keys could not be written at the "
                      f"others for {longest:.1f} s: {worst[0]}")


def longest_outage(trial, nodes, seconds):
    """Of some keys, which several partitions have: for how long one could not be written there."""
    probe = subprocess.Popen(
        [trial.trial_program, "probe", "--nodes", trial.node_words(nodes), "--for", f"{seconds}s"],
        stdout=subprocess.PIPE, text=True)
    trial.wait(seconds)
    outages = json.loads(probe.communicate(timeout=30)[0])
    worst = max(outages, key=lambda one: one["Seconds"])
    return worst["Seconds"], [one for one in outages if one["Seconds"] > OUTAGE_MAX_S]


def weather(trial, random):
    """A bad network: delay, packets that overtake each other, are lost or come twice."""
    rules = []
    for _ in range(random.randint(1, 3)):
        rules.append({"from": random.choice([0, *trial.cluster.nodes]),
                      "to": random.choice([0, *trial.cluster.nodes]),
                      "loss": random.choice((0, 0.02, 0.1, 0.3)),
                      "delay_ms": random.choice((0, 5, 50, 200)),
                      "jitter_ms": random.choice((0, 10, 100)),
                      "repeat": random.choice((0, 0.1, 0.5))})
    trial.say(f"weather {rules}")
    trial.network.rule(rules)
    trial.wait(random.uniform(1, 5))
    trial.network.heal()
    trial.wait(random.uniform(0.3, 2))


def fill_disk(trial, random):
    """A node's disk has no byte left. It may stop, and must come back when there is room."""
    node = trial.small_disk_node
    balloon = trial.cluster.data(node).parent / "balloon"
    trial.say(f"disk of {node} full")
    trial.cluster.nodes[node].expected_up = False  # it may stop by itself
    until = time.monotonic() + random.uniform(2, 6)
    while time.monotonic() < until:
        blow_up(balloon)  # again and again: whatever the node has freed
        trial.wait(0.2)
    was_up = trial.cluster.is_up(node)
    if not was_up and random.random() < 0.5:  # started where there is no room: refuses, or runs
        trial.cluster.start(node)
        trial.cluster.nodes[node].expected_up = False
        trial.wait(2)
        trial.say(f"started on a full disk it {'runs' if trial.cluster.is_up(node) else 'ended'}")
    balloon.unlink()
    trial.say(f"disk of {node} has room; the node {'runs' if was_up else 'had stopped'}")
    if not trial.cluster.is_up(node):
        trial.cluster.start(node)
    trial.cluster.nodes[node].expected_up = True
    trial.cluster.await_ready(node)
    trial.wait(random.uniform(0.5, 2))


def blow_up(path):
    """Makes the file as large as its disk allows."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for size in (1 << 16, 1 << 12):
            while os.write(descriptor, b"x" * size) == size:
                pass
    except OSError:
        pass
    finally:
        os.close(descriptor)


def clock(trial, random):
    """A node's wall clock jumps."""
    node = some_node(trial, random)
    seconds = random.choice((-86400 * 365, -3600, -5, -0.5, 0, 0.5, 5, 3600, 86400, 86400 * 365))
    trial.say(f"clock of {node} off by {seconds} s")
    set_clock(trial, node, seconds)
    trial.wait(random.uniform(0.3, 2))
    if random.random() < 0.3:
        trial.say(f"kill {node}")
        trial.cluster.kill(node)
        trial.wait(random.uniform(0.1, 1))
        trial.cluster.start(node)
        trial.cluster.await_ready(node)


def set_clock(trial, node, seconds):
    path = trial.directory / f"clock{node}"
    fresh = path.with_suffix(".new")
    fresh.write_text(f"{seconds:+f}\n")
    fresh.replace(path)
    trial.cluster.nodes[node].environment.update(
        LD_PRELOAD=FAKETIME, FAKETIME_TIMESTAMP_FILE=str(path), FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1")


def wipe(trial, random):
    """A node comes back without its data under its old number: it has forgotten votes and entries, so
    it must be refused, or be kept from having a voice. The node that had what the wiped one
    acknowledged is away meanwhile, so that a mistake costs writes."""
    nodes = sorted(trial.cluster.members())
    random.shuffle(nodes)
    wiped, away = nodes[0], nodes[1]
    trial.say(f"wipe {wiped}, then {away} away")
    kept = trial.cluster.data(wiped).with_suffix(".kept")
    trial.cluster.pause(nodes[2])  # does not get what the two others agree on
    trial.wait(1.5)
    trial.cluster.kill(wiped)
    trial.cluster.kill(away)
    trial.cluster.resume(nodes[2])
    shutil.move(trial.cluster.data(wiped), kept)
    trial.cluster.start(wiped)
    trial.cluster.nodes[wiped].expected_up = False
    trial.wait(random.uniform(4, 7))
    alive = trial.cluster.is_up(wiped)
    trial.say(f"the wiped node {'runs' if alive else 'ended: ' + trial.cluster.last_words(wiped, 300)}")
    trial.cluster.kill(wiped)
    shutil.rmtree(trial.cluster.data(wiped), ignore_errors=True)
    shutil.move(kept, trial.cluster.data(wiped))
    for node in (away, wiped):
        trial.cluster.start(node)
    for node in (away, wiped):
        trial.cluster.await_ready(node)
    trial.wait(1)


def twins(trial, random):
    """A directory was copied, and two processes are one node: the copy runs beside it, at an address of
    its own, and tells the others that it is the node. Nobody can know which one has the votes, so both
    must end; started alone again the first goes on."""
    node = some_node(trial, random)
    elsewhere = max(trial.network.nodes)
    copy = trial.directory / "copied"
    shutil.rmtree(copy, ignore_errors=True)
    trial.say(f"node {node} copied")
    trial.cluster.pause(node)
    shutil.copytree(trial.cluster.data(node), copy)
    trial.cluster.resume(node)
    trial.wait(random.uniform(0.5, 1.5))
    words = trial.cluster.words(node, data=copy)
    own = f"{node}={trial.cluster.place.address(node)}"
    words[words.index(own)] = f"{node}={trial.network.address(elsewhere)}"
    words += ["--listen", trial.network.address(elsewhere)]
    trial.cluster.nodes[node].expected_up = False  # it may end by itself
    with open(trial.directory / "copied.log", "ab") as log:
        twin = subprocess.Popen(trial.network.within(elsewhere, words), stdin=subprocess.DEVNULL,
                                stdout=log, stderr=log)
        try:
            until = time.monotonic() + TWINS_END_S
            while time.monotonic() < until and (trial.cluster.is_up(node) or twin.poll() is None):
                trial.wait(0.2)
            first, second = trial.cluster.nodes[node].process.poll(), twin.poll()
            trial.say(f"ended: the node with {first}, the copy with {second}")
            if second is None:
                trial.problem(f"the copy of node {node} runs {TWINS_END_S} s later, and the node "
                              f"{'too' if first is None else 'has ended'}")
        finally:
            if twin.poll() is None:
                twin.kill()
            twin.wait()
    trial.cluster.kill(node)
    trial.cluster.start(node)
    try:
        trial.cluster.await_ready(node)
    except TrialError as error:
        trial.problem(f"without its copy: {error}")
        trial.cluster.start(node)
        trial.cluster.await_ready(node)
    shutil.rmtree(copy, ignore_errors=True)
    trial.wait(1)
    if not trial.cluster.is_up(node):
        trial.look()
        trial.cluster.start(node)
        trial.cluster.await_ready(node)


def join(trial, random):
    """Another node is let in, perhaps interrupted while it is, and is one like the others then."""
    waiting = [node for node in trial.cluster.joiners if trial.cluster.nodes[node].process is None]
    if not waiting:
        kill(trial, random)
        return
    node = waiting[0]
    trial.say(f"join {node}")
    trial.cluster.start(node)
    for _ in range(random.choice((0, 1, 3))):
        trial.wait(random.uniform(0, 0.6))
        trial.say(f"kill {node}")
        trial.cluster.kill(node)
        if not (trial.cluster.data(node) / "node").exists():
            trial.say("without a 'node' file: as its hint says, log and state are removed")
            shutil.rmtree(trial.cluster.data(node) / "log", ignore_errors=True)
            shutil.rmtree(trial.cluster.data(node) / "state", ignore_errors=True)
        trial.cluster.start(node)
    trial.cluster.await_ready(node)
    if random.random() < 0.5:
        trial.say(f"{node} vanishes as soon as it is let in")
        trial.cluster.kill(node)
        trial.wait(2)
        before = trial.count_done()
        trial.wait(random.uniform(3, 6))
        if trial.count_done() == before:
            trial.problem(f"nothing was done while node {node}, which had just been let in, was away")
        trial.cluster.start(node)
        trial.cluster.await_ready(node)
    claim = (trial.cluster.data(node) / "node").read_text()
    if f"node {node}\n" not in claim:
        trial.problem(f"the node that should be {node} was let in as another: {claim}")
    trial.wait(random.uniform(0.5, 3))


def rearrange(trial, random):
    """What an operator does: partitions are split, moved and led from elsewhere, nodes drained and taken
    back. Requests may be refused (another move is under way), and nobody else may notice."""
    nodes = sorted(trial.cluster.members())
    asked = random.choice(nodes)
    answer = trial.cluster.ask(asked, "GET", "/v1/cluster/partitions", timeout_s=10)
    if answer is None or answer[0] != 200:
        trial.say(f"partitions of node {asked}: {answer}")
        if answer is not None and answer[0] == 404:
            raise TrialError("this orochi-kvd has no routes of /v1/cluster")
        trial.wait(0.5)
        return
    partitions = [one for one in json.loads(answer[1])["partitions"] if one["collection"]]
    if not partitions:
        return
    one = random.choice(partitions)
    group = f"/v1/cluster/partitions/{one['group']}"
    action = random.choice(("split", "move", "move", "lead", "lead", "drain"))
    if action == "split":
        path, body = f"{group}/split", {}
    elif action == "move":
        path, body = f"{group}/move", {"nodes": random.sample(nodes, min(3, len(nodes)))}
    elif action == "lead":
        path, body = f"{group}/lead", {"node": random.choice(one["replicas"])}
    else:
        drained = random.choice(nodes)
        path, body = f"/v1/cluster/nodes/{drained}/drain", {}
    answer = trial.cluster.ask(asked, "POST", path, body, timeout_s=15)
    trial.say(f"{path} {body}: {answer and answer[0]} {answer and answer[1].strip()[:150]}")
    if answer is not None and answer[0] == 500:
        trial.problem(f"{path} {body} of node {asked}: {answer}")
    trial.wait(random.uniform(0.2, 2))
    if action == "drain":
        trial.wait(random.uniform(0, 4))
        until = time.monotonic() + 30
        while (undone := trial.cluster.ask(asked, "POST", f"/v1/cluster/nodes/{drained}/undrain", {},
                                           timeout_s=15)) is None or undone[0] != 200:
            if time.monotonic() > until:
                trial.problem(f"undrain {drained} of node {asked}: {undone}")
                return
            trial.wait(0.5)


def has_faketime():
    return os.path.exists(FAKETIME)
