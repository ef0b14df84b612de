# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""What a measurement says, and whether that is good enough."""

import dataclasses
import json
import os
import platform
import statistics
import subprocess

# What each name is held to: ("ratio" or "value", "<=" or "<", bound).
GOALS = {
    "heartbeat_acked_cpu": ("ratio", "<=", 1.15),
    "heartbeat_quiet_cpu": ("ratio", "<=", 1.30),
    "heartbeat_batch128_cpu": ("ratio", "<=", 1.6),
    "heartbeat_batch1024_cpu": ("ratio", "<=", 1.6),
    "fanout1000_cpu": ("ratio", "<=", 1.10),
    "fanout1000_busy_cpu": ("ratio", "<=", 0.10),
    "apply_by_handle": ("ratio", "<=", 1.0),
    "apply_by_id": ("ratio", "<=", 1.5),
    "bytes_per_session": ("value", "<=", 200),
    "idle_stream_memory": ("ratio", "<=", 1.10),
    "transition_p99_half_load": ("ratio", "<=", 1.5),
    "idle_answer_p99": ("value", "<", 10),
    "storm_false_changes": ("value", "<=", 0),
    "mass_expiry_stall": ("value", "<=", 10),
    "tick_idle_1m": ("value", "<=", 1),
}


def met(name, value, ratio):
    """Whether the goal of `name` is met."""
    what, comparison, bound = GOALS[name]
    number = ratio if what == "ratio" else value
    return number < bound if comparison == "<" else number <= bound


def spread(samples):
    """How far the samples lie apart: (most - least) / median, 0 if alone."""
    middle = statistics.median(samples)
    return (max(samples) - min(samples)) / abs(middle) if middle else 0.0


@dataclasses.dataclass
class Measurement:
    """One name, measured several times.

    samples: the value of each run, in `unit`; floors: that of the floor in the
    same run, or empty. The ratio is the median of the runs' own ratios, and
    `spread` is that of what the goal speaks of.
    """
    name: str
    unit: str
    samples: list
    floors: list = dataclasses.field(default_factory=list)
    # What else a reader needs: part of the entry.
    notes: dict = dataclasses.field(default_factory=dict)

    def as_entry(self):
        """As it stands in a result file."""
        value = statistics.median(self.samples)
        ratios = [s / f for s, f in zip(self.samples, self.floors)]
        ratio = statistics.median(ratios) if ratios else None
        judged = ratios if GOALS[self.name][0] == "ratio" else self.samples
        return {
            "name": self.name,
            "value": value,
            "unit": self.unit,
            "floor": statistics.median(self.floors) if self.floors else None,
            "ratio": ratio,
            "runs": len(self.samples),
            "spread": spread(judged),
            "met": met(self.name, value, ratio),
            "samples": self.samples,
            "floor_samples": self.floors,
        } | self.notes


def _cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def _commit():
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def origin(build_type):
    """Where numbers come from: part of every entry."""
    return {
        "machine": f"{_cpu()}, {os.cpu_count()} cores, "
                   f"{platform.system()} {platform.release().split('-')[0]}",
        "commit": _commit(),
        "build_type": build_type,
    }


def write(path, entries):
    """Writes a result file, one entry a line."""
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"[\n{lines}\n]\n")


def read(path):
    """A result file as a dictionary by name."""
    with open(path, encoding="utf-8") as file:
        return {entry["name"]: entry for entry in json.load(file)}


def _number(value):
    return "–" if value is None else f"{value:.4g}"


def table(entries):
    """The entries as Markdown."""
    lines = ["| name | value | floor | ratio | goal | met | spread | runs |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for entry in entries:
        what, comparison, bound = GOALS[entry["name"]]
        sign = "≤" if comparison == "<=" else "<"
        floor = ("–" if entry["floor"] is None else
                 f"{_number(entry['floor'])} {entry['unit']}")
        lines.append(
            f"| `{entry['name']}` | {_number(entry['value'])} "
            f"{entry['unit']} | {floor} | {_number(entry['ratio'])} | "
            f"{what} {sign} {bound:g} | {'yes' if entry['met'] else 'no'} | "
            f"{entry['spread']:.0%} | {entry['runs']} |")
    return "\n".join(lines)
