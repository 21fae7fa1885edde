#!/usr/bin/env python3
"""Goal: what a cluster of real processes has acknowledged is there, whoever is killed.

Method: three orochi-kvd on loopback; clients write keys over HTTP while one node after the other is
killed with SIGKILL and started again; then every acknowledged value is read from every node, once
more after all were stopped and started. Everything ends by itself.

usage: cluster_test.py OROCHI_KVD
"""

import subprocess
import sys
import time

from cluster import Cluster, Writer, check

WRITERS = 4


def main():
    with Cluster(sys.argv[1]) as cluster:
        nodes = cluster.first
        for node in nodes:
            cluster.start(node)
        cluster.await_ready(*nodes)
        first = cluster.ask(1, "POST", "/v1/api/keys/first", "one", timeout=30)
        assert first is not None and first[0] == 201, f"the first write: {first}"

        writers = [Writer(cluster, f"writer{index}", nodes) for index in range(WRITERS)]
        for writer in writers:
            writer.start()
        for node in (*nodes, *nodes):
            time.sleep(1)
            cluster.kill(node)
            time.sleep(1)
            cluster.start(node)
            cluster.await_ready(node)
        acknowledged = {"first": "one"}
        for writer in writers:
            writer.end()
            acknowledged.update(writer.acknowledged)
        unanswered = sum(writer.unanswered for writer in writers)
        print(f"{len(acknowledged)} writes acknowledged, {unanswered} not, 6 kills")
        assert len(acknowledged) > 50, "hardly anything was written"
        sample = dict(sorted(acknowledged.items())[:: max(1, len(acknowledged) // 500)])
        check(cluster, nodes, sample, "after the kills")

        for node in nodes:
            cluster.stop(node)
        for node in nodes:
            cluster.start(node)
        cluster.await_ready(*nodes)
        check(cluster, nodes, dict(list(sample.items())[:50]), "after all were stopped and started")

        # A directory is one node's.
        words = cluster.words(2)
        words[words.index(f"{cluster.directory}/2")] = f"{cluster.directory}/1"
        other = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
        assert other.returncode == 1 and "is node 1's" in other.stderr, other.stderr
        for node in nodes:
            cluster.stop(node)


if __name__ == "__main__":
    main()
