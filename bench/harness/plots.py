# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Draws the curves. Needs matplotlib (bench/requirements.txt)."""

import pathlib

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # pylint: disable=wrong-import-position

PRODUCT = {"color": "#1f6feb", "marker": "o", "label": "Lifesign"}
FLOOR = {"color": "#8b949e", "marker": "s", "linestyle": "--"}


def _of(points, curve, **where):
    return [p for p in points if p["curve"] == curve
            and all(p[key] == value for key, value in where.items())]


def _draw(axes, points, x, y, style):
    axes.plot([p[x] for p in points], [p[y] for p in points], **style)


def _finish(figure, axes, path, title, x, y, *, log_y=True):
    axes.set_xscale("log")
    if log_y:
        axes.set_yscale("log")
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(True, which="both", alpha=0.25)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _load(points, folder):
    figure, axes = plt.subplots(figsize=(7, 4))
    for server, name, style in (("product", "Lifesign", PRODUCT),
                                ("relay", "bare relay", FLOOR)):
        chosen = _of(points, "load", server=server)
        _draw(axes, chosen, "rate", "told_p99_ms",
              style | {"label": f"{name}, p99"})
        _draw(axes, chosen, "rate", "told_p50_ms",
              style | {"label": f"{name}, p50", "alpha": 0.5})
    _finish(figure, axes, folder / "load.svg",
            "From the intended send to the watcher",
            "messages a second, one in ten changes a state", "ms")


def _fanout(points, folder):
    figure, axes = plt.subplots(figsize=(7, 4))
    _draw(axes, _of(points, "fanout", server="product"), "watchers", "cpu_ns",
          PRODUCT)
    _draw(axes, _of(points, "fanout", server="broadcast"), "watchers", "cpu_ns",
          FLOOR | {"label": "bare broadcast"})
    _finish(figure, axes, folder / "fanout.svg",
            "Server CPU for each change that a watch is told", "watches", "ns")


def _sessions(points, folder):
    chosen = _of(points, "sessions")
    figure, axes = plt.subplots(figsize=(7, 4))
    _draw(axes, chosen, "sessions", "by_handle_ns",
          PRODUCT | {"label": "heartbeat by handle"})
    _draw(axes, chosen, "sessions", "by_id_ns",
          PRODUCT | {"label": "heartbeat by ids", "color": "#bf3989"})
    _draw(axes, chosen, "sessions", "floor_ns",
          FLOOR | {"label": "flat_hash_map under a mutex"})
    _finish(figure, axes, folder / "sessions.svg",
            "The core: a heartbeat, in random order", "sessions", "ns")


def _shards(points, folder):
    figure, axes = plt.subplots(figsize=(7, 4))
    for threads, color in ((1, "#1f6feb"), (2, "#bf3989")):
        chosen = [p | {"millions": p["heartbeats_per_second"] / 1e6}
                  for p in _of(points, "shards", threads=threads)]
        _draw(axes, chosen, "shards", "millions",
              PRODUCT | {"label": f"{threads} thread" + "s" * (threads > 1),
                         "color": color})
    axes.set_ylim(bottom=0)
    _finish(figure, axes, folder / "shards.svg",
            "The core: heartbeats a second", "shards", "millions",
            log_y=False)


def draw(points, folder):
    """Writes the plots as SVG into `folder`."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    plt.rcParams["svg.hashsalt"] = "lifesign"
    plt.rcParams["svg.fonttype"] = "none"
    for plot in (_load, _fanout, _sessions, _shards):
        plot(points, folder)
