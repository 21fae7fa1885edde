#!/usr/bin/env python3
"""Fails when a file includes a module that tools/modules.txt does not allow, or on a cycle.

Also fails when postgres.h is reached from anywhere but pg/, and when a nondeterminism source (wall
clock, OS randomness, sleep, sockets, open) appears in src/ outside io/posix.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
NONDETERMINISM = re.compile(
    r"std::random_device|std::chrono::(system|steady|high_resolution)_clock|\bsleep_for\b|"
    r"\busleep\(|\bgettimeofday\(|\bclock_gettime\(|\bgetrandom\(|::socket\(|::open\(|"
    r"\bstd::(if|of|f)stream\b"
)


def read_rules():
    rules = {}
    for line in (ROOT / "tools/modules.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            name, _, allowed = line.partition(":")
            rules[name.strip()] = set(allowed.split())
    return rules


def longest_module(parts, rules):
    """The most deeply nested directory of `parts` that is a module ("sstable/types")."""
    for length in range(len(parts) - 1, 0, -1):
        name = "/".join(parts[:length])
        if name in rules:
            return name
    return None


def module_of(path, rules):
    parts = path.relative_to(ROOT).parts
    parts = parts[1:] if parts[0] == "src" else parts
    return longest_module(parts, rules) or parts[0]


def module_of_include(include, rules):
    return longest_module(include.split("/"), rules)


def find_cycle(rules):
    state = {}

    def visit(module, trail):
        if state.get(module) == "done":
            return None
        if module in trail:
            return trail[trail.index(module):] + [module]
        for needed in sorted(rules.get(module, ())):
            cycle = visit(needed, trail + [module])
            if cycle:
                return cycle
        state[module] = "done"
        return None

    for module in rules:
        cycle = visit(module, [])
        if cycle:
            return cycle
    return None


def main():
    rules = read_rules()
    errors = []
    cycle = find_cycle(rules)
    if cycle:
        errors.append("tools/modules.txt has a cycle: " + " -> ".join(cycle))
    files = [p for top in ("src", "pg", "cli", "sim", "bindings") for p in (ROOT / top).rglob("*")
             if p.suffix in (".h", ".cc")]
    used = {}
    for path in sorted(files):
        module = module_of(path, rules)
        where = path.relative_to(ROOT)
        if module not in rules:
            errors.append(f"{where}: module {module} is not in tools/modules.txt")
            continue
        may_touch_world = (
            module in ("pg", "cli") or str(where).startswith("src/io/posix")
            or "/testing/" in str(where) or path.stem.endswith(("_test", "_bench", "_fuzz")))
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = INCLUDE.match(line)
            if found:
                include = found.group(1)
                needed = module_of_include(include, rules)
                if needed is not None and needed != module:
                    used.setdefault(module, set()).add(needed)
                    if needed not in rules[module]:
                        errors.append(f"{where}:{number}: {module} may not include {needed} "
                                      f"({include}); tools/modules.txt allows: "
                                      f"{' '.join(sorted(rules[module])) or 'nothing'}")
                if include in ("postgres.h", "fmgr.h") and module != "pg":
                    errors.append(f"{where}:{number}: only pg/ includes {include}")
            elif not may_touch_world and NONDETERMINISM.search(line.split("//")[0]):
                errors.append(f"{where}:{number}: time, randomness, sleep, sockets and files come "
                              f"from the constructor; only io/posix touches them: {line.strip()}")
    for module in rules:
        if not (ROOT / "src" / module).is_dir() and not (ROOT / module).is_dir():
            errors.append(f"tools/modules.txt: module {module} has no directory")
    for error in errors:
        print(error, file=sys.stderr)
    if not errors:
        edges = sum(len(v) for v in used.values())
        print(f"modules: {len(files)} files in {len(rules)} modules, {edges} edges, as allowed")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
