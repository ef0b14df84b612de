# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Each named measurement. Every run measures the floor and the product one
after the other, first the one, then the other, in turn."""

from harness.programs import Failure, both
from harness.results import Measurement

# Even, so that each goes first as often as the other.
RUNS = 6
CORE = ("bench", "micro", "core_bench")
LOAD = ("bench", "load", "bench_load")

# Phones: a session in twenty beats a second, far from any limit.
PHONES = {"streams": 100, "connections": 100, "sessions_per_stream": 50,
          "rate": 6000, "warmup_seconds": 0.5, "seconds": 3}
# A gateway: six heartbeats a second of each of its 10,000 sessions.
GATEWAY = {"streams": 1, "connections": 1, "sessions_per_stream": 10_000,
           "warmup_seconds": 0.5, "seconds": 3}
GATEWAY_SIGNALS_PER_SECOND = 60_000
# In milliseconds, where values are told to people.
MS = 1e-6


def _in_turn(run, first, second):
    """Both, the order changing from run to run; their results in given order."""
    if run % 2 == 0:
        return first(), second()
    later = second()
    return first(), later


def _cpu_per(programs, name, unit_of, floor, load, product_load=None,
             floor_load=None):
    """CPU of the server for each `unit_of` of a load, in ns."""
    samples, floors = [], []
    for run in range(RUNS):
        with both(programs, floor) as (bare, product):
            ours, theirs = _in_turn(
                run,
                lambda: programs.load(server=product,
                                      **(load | (product_load or {}))),
                lambda: programs.load(server=bare, floor=True,
                                      **(load | (floor_load or {}))))
        samples.append(ours["server_cpu_ns"] / ours[unit_of])
        floors.append(theirs["server_cpu_ns"] / theirs[unit_of])
    return Measurement(name, "ns", samples, floors)


def heartbeat_acked_cpu(programs):
    """Single signals, each answered."""
    return _cpu_per(programs, "heartbeat_acked_cpu", "messages", "echo",
                    {"command": "beats", "acked": True} | PHONES)


def heartbeat_quiet_cpu(programs):
    """Single signals, answered as the server likes."""
    return _cpu_per(programs, "heartbeat_quiet_cpu", "messages", "discard",
                    {"command": "beats"} | PHONES)


def _heartbeat_batch(programs, batch):
    # Whole batches: a session that is left over would be in none.
    sessions = GATEWAY["sessions_per_stream"] // batch * batch
    return _cpu_per(
        programs, f"heartbeat_batch{batch}_cpu", "signals", "parse",
        {"command": "beats", "batch": batch} | GATEWAY |
        {"sessions_per_stream": sessions,
         "rate": GATEWAY_SIGNALS_PER_SECOND / batch})


def heartbeat_batch128_cpu(programs):
    """A gateway's messages of 128 signals."""
    return _heartbeat_batch(programs, 128)


def heartbeat_batch1024_cpu(programs):
    """A gateway's messages of 1,024 signals."""
    return _heartbeat_batch(programs, 1024)


def fanout1000_cpu(programs):
    """1,000 watches of the same users, one change at a time."""
    return _cpu_per(programs, "fanout1000_cpu", "delivered", "broadcast",
                    {"command": "fanout", "changes_per_second": 20,
                     "seconds": 3})


def fanout1000_busy_cpu(programs):
    """1,000 changes a second, told every 100 ms; the floor has 20, at once."""
    return _cpu_per(programs, "fanout1000_busy_cpu", "delivered", "broadcast",
                    {"command": "fanout", "seconds": 3},
                    {"changes_per_second": 1000, "batching_delay_seconds": 0.1},
                    {"changes_per_second": 20})


def _apply(programs):
    runs = programs.measure(CORE, "apply", sessions=1_000_000, runs=RUNS,
                            seconds=1)
    return runs if isinstance(runs, list) else [runs]


def apply_by_handle(programs):
    """The core alone: a heartbeat to a bound session, and by its ids."""
    runs = _apply(programs)
    floors = [run["floor_ns"] for run in runs]
    return [Measurement("apply_by_handle", "ns",
                        [run["by_handle_ns"] for run in runs], floors),
            Measurement("apply_by_id", "ns",
                        [run["by_id_ns"] for run in runs], floors)]


def bytes_per_session(programs):
    """Memory of the core, 1 M users with two sessions each, the larger of what
    the system and the allocator say."""
    runs = [programs.measure(CORE, "memory", users=1_000_000,
                             sessions_per_user=2) for _ in range(RUNS)]
    return Measurement("bytes_per_session", "bytes",
                       [max(run["rss_bytes_per_session"],
                            run["malloc_bytes_per_session"]) for run in runs])


def idle_stream_memory(programs):
    """Streams alone on their connections, and 100 on each: the worse one."""
    worst = None
    for streams, connections in ((1000, 1000), (5000, 50)):
        load = {"command": "idle", "streams": streams,
                "connections": connections}
        samples, floors = [], []
        for run in range(RUNS):
            with both(programs, "echo") as (bare, product):
                ours, theirs = _in_turn(
                    run, lambda: programs.load(server=product, **load),
                    lambda: programs.load(server=bare, floor=True, **load))
            samples.append(ours["bytes"] / streams)
            floors.append(theirs["bytes"] / streams)
        measured = Measurement("idle_stream_memory", "bytes", samples, floors)
        if worst is None or (measured.as_entry()["ratio"] >
                             worst.as_entry()["ratio"]):
            worst = measured
    return worst


def transitions(rate, seconds):
    """A load of so many messages a second, one in ten of which is a change."""
    # Each user who comes and goes does so about once in two seconds.
    return {"command": "transitions", "rate": rate, "streams": 100,
            "flipping": min(max(10, rate // 500), 100), "beating": 200,
            "seconds": seconds}


def capacity(programs):
    """The most single-signal messages a second, one in ten of which changes a
    state, that the product keeps up with beside the load on this machine: raised
    by a quarter until changes are told later than a twentieth of a second, or
    messages are sent late."""
    rate, last = 4000, None
    while True:
        with programs.product() as product:
            try:
                took = programs.load(server=product, **transitions(rate, 2))
            except Failure:
                took = None
        sent_in_time = took and took["messages"] / took["seconds"] > 0.98 * rate
        if not sent_in_time or took["told_p99_ns"] * MS > 50:
            if last is None:
                raise Failure(f"the server does not keep up with {rate}/s")
            return last
        rate, last = rate * 5 // 4, rate


def transition_p99_half_load(programs):
    """From a signal that changes a state to the watcher, at half of what the
    server can take."""
    load = transitions(capacity(programs) // 2, 4)
    samples, floors = [], []
    for run in range(RUNS):
        with both(programs, "relay") as (bare, product):
            ours, theirs = _in_turn(
                run, lambda: programs.load(server=product, **load),
                lambda: programs.load(server=bare, floor=True, **load))
        samples.append(ours["told_p99_ns"] * MS)
        floors.append(theirs["told_p99_ns"] * MS)
    return Measurement("transition_p99_half_load", "ms", samples, floors,
                       {"messages_per_second": load["rate"]})


def idle_answer_p99(programs):
    """Answered heartbeats to servers that have nothing else to do."""
    servers = [programs.product() for _ in range(5)]
    try:
        targets = [part for server in servers
                   for part in ("--target", server.target)]
        runs = [programs.measure(LOAD, "answers", *targets, answers=100,
                                 seed=run) for run in range(RUNS)]
    finally:
        for server in servers:
            server.close()
    return Measurement("idle_answer_p99", "ms",
                       [run["answer_p99_ns"] * MS for run in runs])


def storm_false_changes(programs):
    """10,000 clients cut, and all back within 5 s."""
    samples = []
    for _ in range(RUNS):
        with programs.product() as product:
            took = programs.measure(LOAD, "storm", "--target", product.target,
                                    after_seconds=5)
        samples.append(took["false_changes"])
    return Measurement("storm_false_changes", "changes", samples)


def mass_expiry_stall(programs):
    """What a heartbeat waits longer for while 1 M sessions expire at once."""
    runs = [programs.measure(CORE, "expiry", sessions=1_000_000)
            for _ in range(RUNS)]
    return Measurement("mass_expiry_stall", "ms",
                       [run["stall_p999_ms"] for run in runs])


def tick_idle_1m(programs):
    """A tick over 1 M sessions none of which is due."""
    runs = [programs.measure(CORE, "tick", sessions=1_000_000)
            for _ in range(RUNS)]
    return Measurement("tick_idle_1m", "ms", [run["mean_ms"] for run in runs])


# In the order of the result file. apply_by_handle measures apply_by_id, too.
ALL = (heartbeat_acked_cpu, heartbeat_quiet_cpu, heartbeat_batch128_cpu,
       heartbeat_batch1024_cpu, fanout1000_cpu, fanout1000_busy_cpu,
       apply_by_handle, bytes_per_session, idle_stream_memory,
       transition_p99_half_load, idle_answer_p99, storm_false_changes,
       mass_expiry_stall, tick_idle_1m)


