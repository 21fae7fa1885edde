"""Dumps of SSTables as JSON, and the first difference between two."""

import glob
import json
import os
import struct


def without_positions(value):
    """A dump without what depends on how rows are stored rather than on what they say."""
    if isinstance(value, dict):
        return {k: without_positions(v) for k, v in value.items() if k != "position"}
    if isinstance(value, list):
        return [without_positions(v) for v in value]
    return value


def first_difference(found, expected, path=""):
    """Empty, or where and how the first difference is."""
    if type(found) is not type(expected):
        return f"{path}: found {found!r:.200}, expected {expected!r:.200}"
    if isinstance(found, dict):
        for key in list(expected) + [k for k in found if k not in expected]:
            if (key in found) != (key in expected):
                return f"{path}: {key} is {'missing' if key in expected else 'too much'}"
            difference = first_difference(found[key], expected[key], f"{path}.{key}")
            if difference:
                return difference
        return ""
    if isinstance(found, list):
        for index, (one, other) in enumerate(zip(found, expected)):
            difference = first_difference(one, other, f"{path}[{index}]")
            if difference:
                return difference
        if len(found) != len(expected):
            return f"{path}: {len(found)} elements, expected {len(expected)}"
        return ""
    if found == expected or (isinstance(found, str) and is_same_number(found, expected)):
        return ""
    return f"{path}: found {found!r:.200}, expected {expected!r:.200}"


FLOAT_DIGITS_MAX = 9
DOUBLE_DIGITS_MAX = 18


def is_same_number(found, expected):
    """Java before 19 prints some floating-point numbers with more digits than tell them from their neighbours; ours
    is then the shorter one, of the same float or double."""
    try:
        one, other = float(found), float(expected)
        digits = len(expected.split("E")[0].strip("-").replace(".", ""))
        if len(found) >= len(expected) or expected.split("E")[0].endswith("0") or digits > DOUBLE_DIGITS_MAX:
            return False
        return one == other or (digits <= FLOAT_DIGITS_MAX and struct.pack("f", one) == struct.pack("f", other))
    except (ValueError, OverflowError):
        return False


def load_dump(text, positions=False):
    """Numbers stay text, so that nothing is rounded."""
    dump = json.loads(text, parse_float=str, parse_int=str)
    return dump if positions else without_positions(dump)


def read_dump(path):
    with open(path, encoding="utf-8") as source:
        return load_dump(source.read())


def dumps_in(directory):
    """The dumps of a directory by the number in the SSTables' names: a copy in another format has another name,
    but the same number."""
    by_number = {}
    for path in glob.glob(os.path.join(glob.escape(directory), "*.json")):
        by_number[int(os.path.basename(path).split("-")[1])] = read_dump(path)
    return by_number


def difference_of_directories(ours, theirs):
    """Each SSTable against the one of the same number."""
    found, expected = dumps_in(ours), dumps_in(theirs)
    if sorted(found) != sorted(expected):
        return f"SSTables {sorted(found)}, expected {sorted(expected)}"
    for number, dump in found.items():
        difference = first_difference(dump, expected[number])
        if difference:
            return f"SSTable {number}{difference}"
    return ""


def difference_of_parts(parts, whole):
    """The dumps of SSTables that follow each other, in any order of their numbers, against one dump."""
    found = {json.dumps(partition["partition"]["key"]): partition for part in parts for partition in part}
    expected = {json.dumps(partition["partition"]["key"]): partition for partition in whole}
    if sum(len(part) for part in parts) != len(found):
        return "a partition is in two parts"
    return first_difference(found, expected)
