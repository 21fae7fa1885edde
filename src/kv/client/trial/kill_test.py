#!/usr/bin/env python3
"""Goal: what the C++ client says of a write is so, whoever is killed.

Method: three orochi-kvd on loopback, killed with SIGKILL one after the other and started again while
kv_client_trial writes and moves money through one client; it checks what it was told.

usage: kill_test.py OROCHI_KVD KV_CLIENT_TRIAL
"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../server/test"))
from cluster import Cluster  # noqa: E402

SECONDS = 10


def main():
    with Cluster(sys.argv[1]) as cluster:
        for node in cluster.first:
            cluster.start(node)
        cluster.await_ready(*cluster.first)
        nodes = ",".join(f"127.0.0.1:{cluster.http[node]}" for node in cluster.first)
        with subprocess.Popen([sys.argv[2], nodes, str(SECONDS)], stdout=subprocess.PIPE,
                              text=True) as trial:
            try:
                for node in cluster.first:
                    time.sleep(1.5)
                    cluster.kill(node)
                    time.sleep(0.5)
                    cluster.start(node)
                    cluster.await_ready(node)
                output, _ = trial.communicate(timeout=120)
            finally:
                trial.kill()
        print(output, end="")
        assert trial.returncode == 0, f"the trial ended with {trial.returncode}"
        for node in cluster.first:
            cluster.stop(node)


if __name__ == "__main__":
    main()
