#!/usr/bin/env python3
"""Goal: nodes join a running cluster, come back at other addresses, and only they themselves count.

Method: three orochi-kvd on loopback and writers; a fourth joins and is interrupted while it does; a
node and then all of them come back at other ports; a copy of a node's directory is started beside
it; a node of another cluster wants in. What was acknowledged is read from every node in the end.

usage: membership_test.py OROCHI_KVD
"""

import shutil
import subprocess
import sys

from cluster import START_S, Cluster, Writer, check, free_ports


def refused(cluster, words, reason):
    ended = subprocess.run(words, capture_output=True, text=True, timeout=START_S, check=False)
    assert ended.returncode == 1 and reason in ended.stderr, (ended.returncode, ended.stderr)


def move(cluster, node):
    """Starts a node that has stopped at another port, without a word about the others."""
    port = free_ports(1)[0]
    cluster.address[node] = f"127.0.0.1:{port}"
    cluster.run(node, [cluster.program, "--data", f"{cluster.directory}/{node}",
                       "--listen", cluster.address[node], "--http", str(cluster.http[node])])


def main():
    with Cluster(sys.argv[1]) as cluster:
        for node in cluster.first:
            cluster.start(node)
        cluster.await_ready(*cluster.first)
        assert cluster.ask(1, "POST", "/v1/api/keys/first", "one", timeout=30)[0] == 201
        writers = [Writer(cluster, f"writer{index}", cluster.first) for index in range(2)]
        for writer in writers:
            writer.start()

        # Interrupted at its first start, it is the same node when it is started again.
        cluster.join(4)
        cluster.kill(4)
        cluster.join(4)
        cluster.await_ready(4)
        with open(f"{cluster.directory}/4/node", encoding="utf-8") as claim:
            assert "node 4" in claim.read(), "it was let in twice"

        cluster.kill(2)
        move(cluster, 2)
        cluster.await_ready(2)
        for writer in writers:
            writer.end()
        for node in (1, 2, 3, 4):
            cluster.stop(node)
        for node in (1, 2, 3, 4):
            cluster.run(node, [cluster.program, "--data", f"{cluster.directory}/{node}",
                               "--http", str(cluster.http[node])])
        cluster.await_ready(1, 2, 3, 4)
        acknowledged = {"first": "one"}
        for writer in writers:
            acknowledged.update(writer.acknowledged)
        print(f"{len(acknowledged)} writes acknowledged")
        sample = dict(sorted(acknowledged.items())[:: max(1, len(acknowledged) // 100)])
        check(cluster, (1, 2, 3, 4), sample, "after moves and a join")

        refused(cluster, [cluster.program, "--data", f"{cluster.directory}/stranger", "--http", "0",
                          "--cluster", "another", "--listen", "127.0.0.1:0",
                          "--join", cluster.address[1]], "not of 'another'")
        refused(cluster, [cluster.program, "--data", f"{cluster.directory}/nobody", "--http", "0"],
                "is empty")

        # What a lost directory had promised is lost: its node is another one from now on.
        cluster.stop(3)
        shutil.move(f"{cluster.directory}/3", f"{cluster.directory}/3-away")
        refused(cluster, cluster.words(3), "had another data directory")
        shutil.rmtree(f"{cluster.directory}/3")
        shutil.move(f"{cluster.directory}/3-away", f"{cluster.directory}/3")
        cluster.run(3, [cluster.program, "--data", f"{cluster.directory}/3",
                        "--http", str(cluster.http[3])])
        cluster.await_ready(3)

        # A copy and the original are two of one identity: neither goes on.
        cluster.stop(4)
        shutil.copytree(f"{cluster.directory}/4", f"{cluster.directory}/copy")
        cluster.run(4, [cluster.program, "--data", f"{cluster.directory}/4", "--http", "0"])
        cluster.run("copy", [cluster.program, "--data", f"{cluster.directory}/copy", "--http", "0",
                             "--listen", f"127.0.0.1:{free_ports(1)[0]}"])
        for node in (4, "copy"):
            assert cluster.processes[node].wait(timeout=START_S) == 1, f"{node} goes on"
        for node in cluster.first:
            cluster.stop(node)


if __name__ == "__main__":
    main()
