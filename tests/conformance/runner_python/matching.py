# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""What scenarios say of values. tests/conformance/README.md has the rules."""

import decimal
import re

ORDERED = re.compile(r"([<>])(.+)", re.DOTALL)
REPEATED = re.compile(r"\$\{(.)([*#])(\d+)\}", re.DOTALL)
ABSENT = (None, 0, "", [])


def resolved(value, saved):
    """A request with "$name", "${x*128}" and "${x#128}" replaced by what they
    stand for."""
    if isinstance(value, dict):
        return {key: resolved(member, saved) for key, member in value.items()}
    if isinstance(value, list):
        return [resolved(element, saved) for element in value]
    if isinstance(value, str) and value.startswith("$"):
        repeated = REPEATED.fullmatch(value)
        if repeated:
            count = int(repeated[3])
            if repeated[2] == "*":
                return repeated[1] * count
            return [f"{repeated[1]}{i}" for i in range(1, count + 1)]
        return saved[value[1:]]
    return value


def at(value, path):
    """What lies at "updates.0.opened.attachment" in `value`."""
    for name in path.split("."):
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def differences(expected, actual, saved, path="it"):
    """A line for each place in which `actual` is not as `expected`."""
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return [f"{path}: expected {expected}, was {actual}"]
        return [line for key, member in expected.items()
                for line in differences(member, actual.get(key), saved,
                                        f"{path}.{key}")]
    if isinstance(expected, list) and expected:
        actual = actual or []
        if not isinstance(actual, list) or len(actual) != len(expected):
            return [f"{path}: expected {len(expected)}: {expected}, "
                    f"was {actual}"]
        return [line for i, element in enumerate(expected)
                for line in differences(element, actual[i], saved,
                                        f"{path}.{i}")]
    if scalar_matches(expected, actual, saved):
        return []
    meant = saved.get(str(expected).lstrip("<>$"))
    note = f" (that is {meant})" if meant is not None else ""
    return [f"{path}: expected {expected!r}{note}, was {actual!r}"]


def scalar_matches(expected, actual, saved):
    if expected == "$any":
        return actual not in ABSENT
    if expected in ABSENT:
        return actual in ABSENT
    if actual is None or isinstance(actual, (dict, list)):
        return False
    if isinstance(expected, str) and ORDERED.fullmatch(expected):
        order, limit = ORDERED.fullmatch(expected).groups()
        limit = decimal.Decimal(resolved(limit, saved))
        actual = decimal.Decimal(str(actual))
        return actual < limit if order == "<" else actual > limit
    if isinstance(expected, str) and expected.startswith("$"):
        return actual == resolved(expected, saved)
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        # 64-bit integers are strings in JSON.
        return float(actual) == expected
    return actual == expected
