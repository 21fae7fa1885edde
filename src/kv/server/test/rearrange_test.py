#!/usr/bin/env python3
"""Goal: a cluster is rearranged while it is written to: a node joins and gets its share, one is
drained and removed, and a stop in peace costs no client an answer.

Method: three orochi-kvd on loopback and writers; /v1/cluster says what there is; a node is restarted
in peace while writers that do not use it count what is not answered. What was acknowledged is read
from every node in the end.

usage: rearrange_test.py OROCHI_KVD
"""

import sys
import time

from cluster import START_S, Cluster, Writer, check


def overview(cluster, node=1):
    status, body = cluster.ask_json(node, "GET", "/v1/cluster")
    assert status == 200, body
    return {one["number"]: one for one in body["nodes"]}


def partitions(cluster, node=1):
    status, body = cluster.ask_json(node, "GET", "/v1/cluster/partitions")
    assert status == 200, body
    return body["partitions"]


def change(cluster, node, path, body=None, node_asked=1):
    status, answer = cluster.ask_json(node_asked, "POST", f"/v1/cluster/{node}/{path}", body)
    return status, answer


def replicas(cluster, number):
    return sum(number in one["replicas"] for one in partitions(cluster))


def say(what, began=time.monotonic()):
    print(f"{time.monotonic() - began:6.1f} s {what}", flush=True)


def main():
    with Cluster(sys.argv[1]) as cluster:
        for node in cluster.first:
            cluster.start(node)
        cluster.await_ready(*cluster.first)
        assert cluster.ask(1, "POST", "/v1/api/keys/first", "one", timeout=30)[0] == 201
        status, made = cluster.ask_json(
            1, "POST", "/v1/collections", {"name": "c", "distribution": "hash", "partitions": 8}, 30)
        assert status == 201, made
        writers = [Writer(cluster, f"writer{index}", (1, 2)) for index in range(2)]
        for writer in writers:
            writer.start()

        # A stop in peace of a node that no writer asks: leaders hand over before.
        cluster.until(lambda: len({one["leader"] for one in partitions(cluster)}) == 3,
                      "all three lead something")
        before = sum(writer.unanswered for writer in writers)
        cluster.stop(3)
        cluster.start(3)
        cluster.await_ready(3)
        lost = sum(writer.unanswered for writer in writers) - before
        assert lost == 0, f"{lost} writes were not answered well while a node was restarted in peace"

        say("restarted in peace")
        cluster.join(4)
        cluster.await_ready(4)
        cluster.until(lambda: replicas(cluster, 4) >= 4, "the fourth has its share", within_s=90)
        counts = [replicas(cluster, number) for number in (1, 2, 3, 4)]
        say(f"replicas on four nodes: {counts}")

        moved = next(one for one in partitions(cluster) if one["collection"] == "c")
        status, answer = change(cluster, "partitions", f"{moved['group']}/lead", {"node": 99},
                                moved["leader"])
        assert status == 412 or status == 409 or status == 400, (status, answer)

        assert change(cluster, "nodes", "9/drain")[0] == 404
        status, answer = change(cluster, "nodes", "2/remove")
        assert status != 200 and "replicas" in answer["message"], answer
        status, answer = change(cluster, "nodes", "3/drain")
        assert (status, answer["state"]) == (200, "draining"), answer
        cluster.until(lambda: replicas(cluster, 3) == 0, "the third has nothing any more",
                      within_s=90)
        say("drained")
        cluster.until(lambda: all(one["settled"] for one in partitions(cluster)), "all has settled")
        status, answer = change(cluster, "nodes", "3/remove")
        assert (status, answer["state"]) == (200, "gone"), answer
        assert cluster.processes[3].wait(timeout=START_S) == 1, "a removed node goes on"

        say("removed")
        acknowledged = {"first": "one"}
        for writer in writers:
            writer.end()
            acknowledged.update(writer.acknowledged)
        say(f"{len(acknowledged)} writes acknowledged, "
            f"{sum(writer.unanswered for writer in writers)} not")
        sample = dict(sorted(acknowledged.items())[:: max(1, len(acknowledged) // 100)])
        check(cluster, (1, 2, 4), sample, "after all was rearranged")
        assert overview(cluster)[3]["state"] == "gone"
        for node in (1, 2, 4):
            cluster.stop(node)


if __name__ == "__main__":
    main()
