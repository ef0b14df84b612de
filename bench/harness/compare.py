# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Whether one result file is worse than another."""

from harness import results

# What the spread of few runs cannot promise is forgiven anyway.
LEAST_SLACK = 0.05


def regressions(before, after):
    """Lines that say what got worse beyond what both files vary by.

    Names with a floor are compared by their ratio, which holds across machines;
    the others by their value. A name that is gone is a regression.
    """
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            yield f"{name}: not measured any more"
            continue
        key = "ratio" if old["ratio"] is not None else "value"
        slack = max(old["spread"], new["spread"], LEAST_SLACK)
        bound = old[key] + abs(old[key]) * slack
        if new[key] > bound:
            yield (f"{name}: {key} {old[key]:.4g} -> {new[key]:.4g}, more than "
                   f"the spread of {slack:.0%} allows")
        elif old["met"] and not new["met"]:
            yield f"{name}: the goal was met and is not"


def compare(before_path, after_path):
    """Prints the regressions; the exit code."""
    found = list(regressions(results.read(before_path),
                             results.read(after_path)))
    for line in found:
        print(line)
    if not found:
        print("nothing got worse beyond its spread")
    return 1 if found else 0
