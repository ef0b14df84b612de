# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Makes of what lifesign_calibration prints a table and a plot.

usage: draw.py PLOT.svg <calibration.tsv >table.md

A bin counts if it has at least LEAST silences: the samples of one silence share
its outcome, so it is silences that must be many.
"""

import sys
from typing import NamedTuple

LEAST = 100
ALLOWED = 0.05
COLOURS = ["#1f6feb", "#2da44e", "#bf3989", "#cf222e", "#57606a"]
SIZE, LEFT, TOP = 360, 56, 24


class Point(NamedTuple):
    bin: float
    silences: int
    predicted: float
    observed: float

    @property
    def counts(self):
        return self.silences >= LEAST

    @property
    def error(self):
        return self.predicted - self.observed


def read(lines):
    """Points by (population, behaviour), in the order of their coming."""
    curves = {}
    for line in lines:
        population, behaviour, low, _, silences, predicted, observed = (
            line.rstrip("\n").split("\t"))
        curves.setdefault((population, behaviour), []).append(
            Point(float(low), int(silences), float(predicted),
                  float(observed)))
    return curves


def name_of(population, behaviour):
    if population == behaviour:
        return behaviour
    return f"{population}: {behaviour}"


def table(curves):
    rows = ["| population | " + " | ".join(
        f"{low / 10:.1f}" for low in range(10)) + " | worst error |",
        "| --- |" + " --- |" * 11]
    for (population, behaviour), points in curves.items():
        cells = []
        for point in points:
            cells.append(f"{point.predicted:.2f} → {point.observed:.2f}"
                         if point.counts else "·")
        worst = max((abs(p.error) for p in points if p.counts), default=0)
        cells.append(f"{worst:.3f}" if worst <= ALLOWED else f"**{worst:.3f}**")
        rows.append(f"| {name_of(population, behaviour)} | "
                    + " | ".join(cells) + " |")
    return "\n".join(rows)


def x_of(value):
    return LEFT + value * SIZE


def y_of(value):
    return TOP + (1 - value) * SIZE


def plot(curves):
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="440" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="640" height="440" fill="white"/>']
    for tenth in range(11):
        value = tenth / 10
        for a, b, c, d in ((x_of(value), y_of(0), x_of(value), y_of(1)),
                           (x_of(0), y_of(value), x_of(1), y_of(value))):
            parts.append(f'<path d="M{a:.0f} {b:.0f}L{c:.0f} {d:.0f}" '
                         'stroke="#d0d7de" stroke-width="0.5"/>')
        if tenth % 2 == 0:
            parts.append(f'<text x="{x_of(value):.0f}" y="{y_of(0) + 16:.0f}" '
                         f'text-anchor="middle">{value:.1f}</text>')
            parts.append(f'<text x="{LEFT - 8}" y="{y_of(value) + 4:.0f}" '
                         f'text-anchor="end">{value:.1f}</text>')
    low, high = y_of(-ALLOWED), y_of(ALLOWED)
    parts.append(
        f'<path d="M{x_of(0):.0f} {low:.0f}L{x_of(1):.0f} '
        f'{y_of(1 - ALLOWED):.0f}L{x_of(1):.0f} {y_of(1 + ALLOWED):.0f}'
        f'L{x_of(0):.0f} {high:.0f}Z" fill="#8b949e" fill-opacity="0.2"/>')
    drawn = [item for item in curves.items()
             if item[0][0] == item[0][1] or item[0][1] == "all"]
    for number, ((population, behaviour), points) in enumerate(drawn):
        colour = COLOURS[number % len(COLOURS)]
        shown = [p for p in points if p.counts]
        path = "L".join(f"{x_of(p.predicted):.1f} {y_of(p.observed):.1f}"
                        for p in shown)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" '
                     'stroke-width="1.5"/>')
        for p in shown:
            parts.append(f'<circle cx="{x_of(p.predicted):.1f}" '
                         f'cy="{y_of(p.observed):.1f}" r="3" '
                         f'fill="{colour}"/>')
        y = TOP + 20 + number * 20
        parts.append(f'<circle cx="440" cy="{y - 4}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="452" y="{y}">'
                     f'{name_of(population, behaviour)}</text>')
    parts.append(f'<text x="{LEFT + SIZE / 2:.0f}" y="{TOP + SIZE + 40}" '
                 'text-anchor="middle">confidence told</text>')
    parts.append(f'<text transform="translate(16 {TOP + SIZE / 2:.0f}) '
                 'rotate(-90)" text-anchor="middle">share that came '
                 'back</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def main():
    curves = read(sys.stdin)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(plot(curves))
    print(table(curves))


if __name__ == "__main__":
    main()
