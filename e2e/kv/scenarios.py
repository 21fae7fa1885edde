"""Which faults go together, for how long, and under which load."""
import dataclasses
import shutil

import faults
import siege

LIGHT = "register=2,record=1,append=2,bank=1,ledger=1"
WORKERS = "register=4,record=4,append=6,bank=4,ledger=2"


def nothing(trial):
    pass


def small_disk(trial):
    trial.give_small_disk("400m")


def own_clocks(trial):
    for node in trial.cluster.nodes:
        faults.set_clock(trial, node, 0)


@dataclasses.dataclass
class Scenario:
    name: str
    what: str
    faults: tuple
    seconds: float = 8
    node_count: int = 3
    joiner_count: int = 0  # nodes that are let in later
    needs_network: bool = False
    needs_root: bool = False
    spare_count: int = 0  # places in the network that no node has
    needs_faketime: bool = False
    in_short: bool = True
    prepare: object = nothing
    workers: str = WORKERS
    pause_ms: int = 10
    each_once: bool = False  # all faults in their order, not drawn until the time is over

    def missing(self, inside):
        """What this machine lacks for it, or nothing."""
        if self.needs_faketime and not faults.has_faketime():
            return "libfaketime (Debian: faketime)"
        if (self.needs_network or self.needs_root) and not inside:
            return "root, for network namespaces and mounts of its own"
        if shutil.which("curl") is None:
            return "curl"
        return None


ALL = (
    Scenario("smoke", "one node is killed", (faults.kill_one,), seconds=3, in_short=False,
             workers="register=4,record=4,append=3,bank=2,ledger=1"),
    Scenario("calm", "nothing happens to it", (faults.none,), seconds=4),
    Scenario("kill", "nodes are killed, also all at once", (faults.kill,)),
    Scenario("five", "two of five are killed", (faults.kill_two,), node_count=5),
    Scenario("pause", "nodes stand still", (faults.pause,)),
    Scenario("rolling", "each is stopped and started in turn", (faults.rolling,)),
    Scenario("cut", "nodes do not hear each other", (faults.cut,), needs_network=True, seconds=14),
    Scenario("weather", "packets are lost, late, twice, out of order", (faults.weather,),
             needs_network=True),
    Scenario("disk", "a disk is full", (faults.fill_disk,), needs_root=True, prepare=small_disk),
    Scenario("clock", "clocks jump", (faults.clock,), needs_faketime=True, prepare=own_clocks),
    Scenario("wipe", "a node comes back without its data", (faults.wipe,)),
    Scenario("twins", "a node's directory was copied", (faults.twins,), needs_network=True,
             spare_count=1),
    Scenario("join", "nodes join, and are interrupted while they do", joiner_count=2, each_once=True,
             faults=(faults.join, faults.kill, faults.join, faults.pause, faults.kill)),
    Scenario("rearrange", "partitions are split, moved, led from elsewhere; nodes drained", node_count=5,
             faults=(faults.rearrange,), needs_network=True, in_short=False),
    Scenario("rearrange-kill", "the same, and nodes are killed meanwhile", node_count=5, seconds=20,
             faults=(faults.rearrange, faults.rearrange, faults.rearrange, faults.kill_one_quickly, faults.pause),
             needs_network=True, in_short=False),
    Scenario("fail-over", "how long others stand still when a node is cut off, in every way", each_once=True,
             faults=(faults.fail_over,), needs_network=True, in_short=False, workers=LIGHT),
    Scenario("mixed", "all that a network and a machine do", seconds=30, needs_network=True, in_short=False,
             faults=(faults.kill, faults.pause, faults.cut, faults.weather, faults.rolling)),
    Scenario("mixed-five", "the same with five nodes", seconds=30, needs_network=True, in_short=False,
             node_count=5, faults=(faults.kill, faults.pause, faults.cut, faults.weather, faults.rolling)),
) + tuple(
    Scenario(f"attack-{fault.__name__.replace('_', '-')}", "a client means harm", (fault,), in_short=False,
             each_once=True, workers=LIGHT) for fault in siege.ALL)


def names():
    return ", ".join(one.name for one in ALL)


def choose(text):
    if text == "all":
        return ALL
    if text == "attack":
        return tuple(one for one in ALL if one.name.startswith("attack-"))
    if text == "short":
        return tuple(one for one in ALL if one.in_short)
    by_name = {one.name: one for one in ALL}
    unknown = [name for name in text.split(",") if name not in by_name]
    if unknown:
        raise SystemExit(f"no scenario {', '.join(unknown)}; there are {names()}")
    return tuple(by_name[name] for name in text.split(","))
