#!/usr/bin/env python3
"""Reads pairs "A B", one per line, and prints the median of A, of B and of B / A as a row of a
table, with the interval that holds the true median ratio with at least 95 % confidence whatever
the distribution (order statistics; for 7 pairs the smallest and the largest ratio, 98.4 %).

usage: ratio.py NAME UNIT [DIGITS]"""
import math
import statistics
import sys


def interval(values):
    """The narrowest symmetric pair of order statistics with coverage >= 95 %."""
    ordered = sorted(values)
    count = len(ordered)
    best = 0
    for k in range(count // 2):
        outside = 2 * sum(math.comb(count, i) for i in range(k + 1)) / 2**count
        if 1 - outside < 0.95:
            break
        best = k
    return ordered[best], ordered[count - 1 - best]


def main():
    name, unit = sys.argv[1:3]
    digits = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    pairs = [tuple(map(float, line.split())) for line in sys.stdin if line.strip()]
    ratios = [b / a for a, b in pairs]
    low, high = interval(ratios)
    a = statistics.median(pair[0] for pair in pairs)
    b = statistics.median(pair[1] for pair in pairs)
    print(f"| {name} | {a:,.{digits}f} {unit} | {b:,.{digits}f} {unit} | "
          f"{statistics.median(ratios):.3f} | {low:.3f} to {high:.3f} | {len(pairs)} |")


if __name__ == "__main__":
    main()
