#!/usr/bin/env python3
"""Goal: what is in deploy/ is accepted by who has to take it, and its parts fit each other: names of
pods and services, ports, volumes, options of the program, libraries of the image.

Method: a schema validator of Kubernetes (kubernetes-validate, from `make deploy-setup`),
systemd-analyze, the program's own --check-config with certificates made here, and comparisons. What
is not on this machine is skipped, and said.

usage: deploy_test.py OROCHI_KVD REPOSITORY VALIDATOR
"""

import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

KUBERNETES_VERSIONS = ("1.27", "1.31")
EXPOSURE_MAX = 20  # of 100, as systemd-analyze counts
OWN_MANIFESTS = ("config.yaml", "services.yaml", "poddisruptionbudget.yaml", "networkpolicy.yaml",
                 "statefulset.yaml")


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **more)


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def check_unit(program, deploy, directory):
    if shutil.which("systemd-analyze") is None:
        print("SKIPPED: no systemd-analyze here")
        return
    unit = f"{directory}/orochi-kvd.service"
    text = (deploy / "systemd/orochi-kvd.service").read_text()
    pathlib.Path(unit).write_text(text.replace("/usr/bin/orochi-kvd", program))
    verified = run("systemd-analyze", "verify", unit)
    wrong = [line for line in (verified.stdout + verified.stderr).splitlines()
             if "orochi" in line and "Command 'man " not in line]  # the page is not installed
    assert not wrong, wrong
    exposed = run("systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE_MAX}",
                  unit)
    assert exposed.returncode == 0, exposed.stdout[-300:] + exposed.stderr


def check_schemas(deploy, validator):
    program = validator if pathlib.Path(validator).exists() else shutil.which("kubernetes-validate")
    if program is None:
        print("SKIPPED: no kubernetes-validate here; `make deploy-setup` installs it")
        return
    for version in KUBERNETES_VERSIONS:
        for name in OWN_MANIFESTS:
            checked = run(program, "--strict", "--kubernetes-version", version,
                          str(deploy / "kubernetes" / name))
            assert checked.returncode == 0, checked.stdout + checked.stderr
    # It is one that refuses.
    bad = (deploy / "kubernetes/statefulset.yaml").read_text().replace("serviceName:", "service:")
    checked = run(program, "--strict", "--kubernetes-version", KUBERNETES_VERSIONS[0], "-", input=bad)
    assert checked.returncode != 0, "a wrong StatefulSet was taken"


def load(deploy):
    objects = {}
    for name in OWN_MANIFESTS:
        for one in yaml.safe_load_all((deploy / "kubernetes" / name).read_text()):
            objects[one["kind"], one["metadata"]["name"]] = one
    listed = yaml.safe_load((deploy / "kubernetes/kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(OWN_MANIFESTS), listed
    return objects


def check_manifests(objects):
    (statefulset,) = [one for (kind, _), one in objects.items() if kind == "StatefulSet"]
    spec = statefulset["spec"]
    pod = spec["template"]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    (container,) = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    peers = objects["Service", spec["serviceName"]]["spec"]
    assert peers["clusterIP"] == "None" and peers["publishNotReadyAddresses"] is True
    for (kind, name), one in objects.items():
        if kind == "Service":
            assert one["spec"]["selector"].items() <= labels.items(), name
            for port in one["spec"]["ports"]:
                assert ports[port["targetPort"]] == port["port"], (name, port)
        elif kind == "PodDisruptionBudget":
            assert one["spec"]["selector"]["matchLabels"].items() <= labels.items()
            assert 0 < one["spec"]["maxUnavailable"] <= (spec["replicas"] - 1) // 2
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] in ports, probe
    volumes = {volume["name"] for volume in pod["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes

    toml = objects["ConfigMap", "orochi-kv"]["data"]["kvd.toml"]
    named = re.findall(r'"(\d+)=([a-z0-9.-]+):(\d+)"', toml)
    name = statefulset["metadata"]["name"]
    expected = [(str(index + 1), f"{name}-{index}.{spec['serviceName']}", str(ports["peers"]))
                for index in range(spec["replicas"])]
    assert named == expected, named
    assert f'http = "0.0.0.0:{ports["https"]}"' in toml
    # The number of a pod's node, as its shell makes it.
    for index in range(3):
        script = container["args"][0].replace("exec /usr/bin/orochi-kvd", "echo")
        said = run("/bin/sh", "-c", script, env={"POD_NAME": f"{name}-{index}"}).stdout
        assert said.strip().endswith(f"--node {index + 1}"), said
        assert f"--advertise {name}-{index}.{spec['serviceName']}:{ports['peers']} " in said, said
    return toml


def check_options(program, deploy, toml, directory):
    """Both files of options, with their files where the test can make them."""
    if shutil.which("openssl") is None:
        print("SKIPPED: no openssl here")
        return
    openssl(directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", "/CN=all", "-keyout", "key", "-out", "certificate")
    digest = hashlib.sha256(b"token").hexdigest()
    tokens = {"tokens": [{"name": "all", "sha256": digest, "rights": {"*": "admin"}}]}
    pathlib.Path(f"{directory}/tokens").write_text(json.dumps(tokens))
    pathlib.Path(f"{directory}/gossip").write_text("0" * 64 + "\n")
    for text in (toml, (deploy / "systemd/kvd.toml").read_text()):
        for option, file in (("certificate", "certificate"), ("authority", "certificate"),
                             ("key", "key"), ("tokens", "tokens"), ("gossip-keys", "gossip")):
            text = re.sub(rf'^([a-z-]*{option}) = ".*"$', rf'\1 = "{directory}/{file}"', text,
                          flags=re.MULTILINE)
        pathlib.Path(f"{directory}/kvd.toml").write_text(text)
        checked = run(program, "--config", f"{directory}/kvd.toml", "--node", "1", "--data",
                      f"{directory}/data", "--check-config")
        assert checked.returncode == 0, checked.stderr


def check_image(program, deploy):
    """Its packages bring every library of the program."""
    if shutil.which("dpkg") is None or "bookworm" not in pathlib.Path("/etc/os-release").read_text():
        print("SKIPPED: this is not the image's Debian")
        return
    needed = set()
    for library in re.findall(r"=> (/\S+)", run("ldd", program).stdout):
        owner = run("dpkg", "-S", str(pathlib.Path(library).resolve()))
        if owner.returncode != 0:  # the files of merged /usr are known by their old names
            owner = run("dpkg", "-S", re.sub("^/usr", "", str(pathlib.Path(library).resolve())))
        needed.add(owner.stdout.split(":")[0])
    brought = set(re.findall(r"\b[a-z0-9][a-z0-9.+-]+\b",
                             (deploy / "container/Containerfile").read_text()))
    for package in list(brought):
        depends = run("dpkg-query", "-W", "-f", "${Depends}", package).stdout
        brought |= set(re.findall(r"([a-z0-9][a-z0-9.+-]+)(?: \(|,|$)", depends))
    needed -= {"libc6", "libgcc-s1", "libasan8", "libubsan1", ""}
    assert needed <= brought, f"the image lacks {sorted(needed - brought)}"


def main():
    program, repository, validator = sys.argv[1:]
    deploy = pathlib.Path(repository) / "deploy"
    directory = tempfile.mkdtemp(prefix="orochi_deploy_")
    try:
        check_unit(str(pathlib.Path(program).resolve()), deploy, directory)
        check_schemas(deploy, validator)
        toml = check_manifests(load(deploy))
        check_options(program, deploy, toml, directory)
        check_image(program, deploy)
        print("the unit, the manifests, the options and the image fit")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
