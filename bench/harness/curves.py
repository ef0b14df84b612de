# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""How costs grow: with load, sessions, shards, threads and watches."""

import math
import statistics

from harness.programs import Failure, both
from harness.quick import CORE, MS, PHONES, transitions

RUNS = 3
RATES = (1_000, 2_000, 4_000, 6_000, 8_000, 12_000, 16_000, 24_000, 32_000)
WATCHERS = (1, 10, 100, 1_000, 10_000)
# Deliveries a second that both servers carry at every number of watches.
DELIVERIES_PER_SECOND = 20_000
SNAPSHOTS = (100, 1_000, 10_000)


def _medians(points, keys):
    return {key: statistics.median(point[key] for point in points)
            for key in keys}


def load_curve(programs):
    """Latency from the intended send to the watcher, by messages a second."""
    keys = ("told_p50_ns", "told_p99_ns", "server_cpu_ns", "seconds")
    for rate in RATES:
        runs = {"product": [], "relay": []}
        try:
            for _ in range(RUNS):
                with both(programs, "relay") as (bare, product):
                    load = transitions(rate, 3)
                    runs["product"].append(programs.load(server=product, **load))
                    runs["relay"].append(
                        programs.load(server=bare, floor=True, **load))
        except Failure:
            return
        for server, points in runs.items():
            point = _medians(points, keys)
            yield {"curve": "load", "server": server, "rate": rate,
                   "sent": points[0]["messages"] / points[0]["seconds"],
                   "told_p50_ms": point["told_p50_ns"] * MS,
                   "told_p99_ms": point["told_p99_ns"] * MS,
                   "cores": point["server_cpu_ns"] / 1e9 / point["seconds"]}


def fanout_curve(programs):
    """CPU for each change that a watch is told, by the number of watches."""
    for watchers in WATCHERS:
        rate = min(DELIVERIES_PER_SECOND / watchers, 1_000)
        load = {"command": "fanout", "watchers": watchers, "users": 100,
                "connections": max(1, watchers // 100),
                "changes_per_second": rate, "seconds": max(3, 10 / rate)}
        runs = {"product": [], "broadcast": []}
        for _ in range(RUNS):
            with both(programs, "broadcast") as (bare, product):
                runs["product"].append(programs.load(server=product, **load))
                runs["broadcast"].append(
                    programs.load(server=bare, floor=True, **load))
        for server, points in runs.items():
            yield {"curve": "fanout", "server": server, "watchers": watchers,
                   "cpu_ns": statistics.median(
                       point["server_cpu_ns"] / point["delivered"]
                       for point in points),
                   "told_p99_ms": statistics.median(
                       point["told_p99_ns"] for point in points) * MS}


def snapshot_curve(programs):
    """How long a watch waits for its snapshot, by the users it watches."""
    for users in SNAPSHOTS:
        with programs.product() as product:
            took = programs.load(server=product, command="snapshot",
                                 users=users)
        yield {"curve": "snapshot", "users": users,
               "synced_p50_ms": took["synced_p50_ns"] * MS,
               "cpu_ms": took["server_cpu_ns"] * MS / took["watches"]}


def core_curves(programs):
    """The core alone: by sessions, and by shards and threads."""
    for point in programs.measure(CORE, "scale"):
        yield {"curve": point.pop("bench")} | point


def queue_point(programs):
    """An answered heartbeat beside gRPC's two ways to answer it."""
    load = {"command": "beats", "acked": True} | PHONES
    costs = {"product": [], "echo": [], "echo_queue": []}
    for _ in range(RUNS):
        for server, runs in costs.items():
            with (programs.product() if server == "product" else
                  programs.floor(server)) as running:
                took = programs.load(server=running,
                                     floor=server != "product", **load)
            runs.append(took["server_cpu_ns"] / took["messages"])
    for server, runs in costs.items():
        yield {"curve": "acked", "server": server,
               "cpu_ns": statistics.median(runs)}


def measure(programs):
    """Every point of every curve."""
    for curve in (core_curves, snapshot_curve, fanout_curve, load_curve,
                  queue_point):
        yield from curve(programs)


def slope(xs, ys):
    """The exponent with which ys grow: that of a line through the logarithms."""
    return statistics.linear_regression([math.log(x) for x in xs],
                                        [math.log(y) for y in ys]).slope


def growth(points):
    """Lines of Markdown: how each cost grows, as an exponent."""
    def one(what, curve, x, y, server=None):
        chosen = [p for p in points if p["curve"] == curve
                  and (server is None or p["server"] == server)]
        if len(chosen) < 2:
            return
        exponent = slope([p[x] for p in chosen], [p[y] for p in chosen])
        first, last = chosen[0], chosen[-1]
        yield (f"| {what} | {first[x]:,} – {last[x]:,} | {first[y]:.3g} – "
               f"{last[y]:.3g} | {exponent:+.2f} |")
    yield "| cost | from – to | is | exponent |"
    yield "| --- | --- | --- | --- |"
    yield from one("heartbeat by handle, ns, by sessions", "sessions",
                   "sessions", "by_handle_ns")
    yield from one("heartbeat by ids, ns, by sessions", "sessions",
                   "sessions", "by_id_ns")
    yield from one("bytes of a session with its ids, by sessions", "sessions",
                   "sessions", "bytes_per_session_with_ids")
    yield from one("CPU for a change told, ns, by watches", "fanout",
                   "watchers", "cpu_ns", "product")
    yield from one("snapshot, ms, by users", "snapshot", "users",
                   "synced_p50_ms")
