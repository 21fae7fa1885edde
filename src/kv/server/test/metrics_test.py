#!/usr/bin/env python3
"""Goal: a running node exports every metric that the dashboard draws; the guide lists all that are
exported and none that is not; the text has the form that Prometheus reads, and the numbers move.

Method: three orochi-kvd on loopback, a few requests of each kind, two scrapes compared with each
other, with the dashboard's expressions and with the table of the guide.

usage: metrics_test.py OROCHI_KVD REPOSITORY
"""

import json
import pathlib
import re
import sys

from cluster import Cluster

NAME = re.compile(r"\b(?:orochi_kv|process)_[a-z_]+\b")
SAMPLE = re.compile(r'^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)$')


def parse(text):
    """Families by name with their type, and all samples; every line has to be one of the format."""
    families, samples, helped = {}, {}, set()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in helped and len(line.split(" ", 3)[3]) > 3, line
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name in helped and name not in families, line
            families[name] = kind
        else:
            found = SAMPLE.match(line)
            assert found, f"no line of the format: {line}"
            family = found[1]
            if family not in families:
                family = re.sub("_(bucket|sum|count)$", "", family)
                assert families.get(family) == "histogram", line
            key = (found[1], found[2] or "")
            assert key not in samples, f"twice: {line}"
            samples[key] = float(found[3])
    return families, samples


def expressions(node):
    if isinstance(node, dict):
        for name, value in node.items():
            if name in ("expr", "query") and isinstance(value, str):
                yield value
            yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


def drive(cluster):
    assert cluster.ask(1, "POST", "/v1/api/keys/k", "v", timeout=30)[0] == 201
    assert cluster.ask(1, "GET", "/v1/api/keys/k")[0] == 200
    assert cluster.ask(1, "GET", "/v1/api/keys/nothing")[0] == 404
    assert cluster.ask(1, "GET", "/no/such/route")[0] == 404
    begun = cluster.ask(1, "POST", "/v1/txn/begin")
    assert begun[0] == 201
    name = json.loads(begun[1])["transaction"]
    assert cluster.ask(1, "POST", f"/v1/txn/{name}/commit")[0] == 200


def check_numbers(before, after):
    def grew(name, labels):
        by = after.get((name, labels), 0) - before.get((name, labels), 0)
        assert by >= 1, f"{name}{labels} grew by {by}"

    request = "orochi_kv_http_requests_total"
    keys = 'method="GET",route="/v1/api/keys/{}"'
    grew(request, f'{{code="ok",{keys},status="200"}}')
    grew(request, f'{{code="not_found",{keys},status="404"}}')
    grew(request, '{code="no_such_route",method="GET",route="none",status="404"}')
    grew("orochi_kv_http_request_seconds_count", '{route="/v1/txn/{}/commit"}')
    grew("orochi_kv_transactions_total", '{kind="client",outcome="committed"}')
    grew("orochi_kv_transactions_total", '{kind="single",outcome="committed"}')
    for name in ("orochi_kv_loop_batch_seconds_count", "orochi_kv_log_sync_seconds_count",
                 "orochi_kv_log_write_appends_sum", "orochi_kv_log_frames_total"):
        grew(name, "")
    for peer in (2, 3):
        up = after[("orochi_kv_peer_up", f'{{lane="urgent",peer="{peer}"}}')]
        assert up == 1, f"peer {peer} is up: {up}"
    assert after[("orochi_kv_nodes", "")] == 3
    assert after[("orochi_kv_replicas", "")] >= 2
    assert after[("process_resident_memory_bytes", "")] > 1 << 20
    assert after[("process_open_fds", "")] > 5
    assert after[("orochi_kv_state_memory_table_bytes", "")] > 0
    labels = [labels for name, labels in after if name == "orochi_kv_node_info"]
    assert len(labels) == 1 and 'cluster="orochi",node="1"' in labels[0], labels


def main():
    repository = pathlib.Path(sys.argv[2])
    with Cluster(sys.argv[1]) as cluster:
        for node in cluster.first:
            cluster.start(node)
        cluster.await_ready(*cluster.first)
        drive(cluster)
        _, before = parse(cluster.ask(1, "GET", "/metrics")[1])
        drive(cluster)
        families, after = parse(cluster.ask(1, "GET", "/metrics")[1])
        check_numbers(before, after)
        exported = set(families)
        for node in cluster.first[1:]:  # what leaders alone have
            exported |= set(parse(cluster.ask(node, "GET", "/metrics")[1])[0])

        dashboard = json.loads((repository / "deploy/grafana/orochi-kv.json").read_text())
        drawn = set()
        for expression in expressions(dashboard):
            drawn |= {name if name in exported else re.sub("_(bucket|sum|count)$", "", name)
                      for name in NAME.findall(expression)}
        assert len(drawn) > 30, drawn
        assert drawn <= exported, f"drawn and not exported: {sorted(drawn - exported)}"

        guide = (repository / "docs/guide/kv-metrics.md").read_text()
        listed = set(NAME.findall("\n".join(line for line in guide.splitlines()
                                            if line.startswith("| `"))))
        assert listed == exported, (f"exported and not in the guide: {sorted(exported - listed)}; "
                                    f"in the guide and not exported: {sorted(listed - exported)}")
        print(f"{len(exported)} metrics exported and documented, {len(drawn)} drawn, "
              f"{len(after)} samples")
        for node in cluster.first:
            cluster.stop(node)


if __name__ == "__main__":
    main()
