# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Records of bench/peers/run as Markdown."""

NAMES = {"lifesign": "Lifesign", "redis": "Redis", "socketio": "Socket.IO",
         "nats": "NATS KV", "centrifugo": "Centrifugo", "ejabberd": "ejabberd"}


def cell_of(record):
    return (record["peer"], record["connections"], record["batch"],
            record["answers"])


def number(value):
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def rows(header, lines):
    """Columns of text first; those of numbers, marked so, to the right."""
    yield "| " + " | ".join(name.lstrip("# ") for name in header) + " |"
    yield "| " + " | ".join(
        "---:" if name[0] == "#" else "---" for name in header) + " |"
    for line in lines:
        yield "| " + " | ".join(line) + " |"
    yield ""


def beats(records, connections):
    """A line a cell of heartbeats, and how much more it costs than Lifesign
    connected, batched and, where there is the choice, answered alike."""
    found = {}
    for record in records:
        if record["watchers"] <= 1 and record["connections"] == connections:
            key = (*cell_of(record), record["watchers"])
            found.setdefault(key, {})[record["metric"]] = record
    lines = []
    for key, metrics in sorted(found.items(), key=lambda item: (
            item[0][2], item[0][3], list(NAMES).index(item[0][0]))):
        if "cpu_per_million_heartbeats" not in metrics:
            continue
        peer, _, batch, answers, watchers = key
        value = {name: record["value"] for name, record in metrics.items()}
        cost = value["cpu_per_million_heartbeats"]
        ours = next((own["cpu_per_million_heartbeats"]["value"]
                     for answer in (answers, "sparse")
                     for other, own in found.items()
                     if other[:4] == ("lifesign", connections, batch, answer)
                     and "cpu_per_million_heartbeats" in own), None)
        version = metrics["cpu_per_million_heartbeats"]["version"]
        lines.append([
            f"{NAMES[peer]} {version}" + (", unwatched" if not watchers else ""),
            answers, str(batch), number(cost),
            number(cost / ours) if ours else "–",
            number(value.get("memory_per_session")),
            number(value.get("transition_p50")),
            number(value.get("transition_p99"))])
    return rows(["server", "answers", "# batch",
                 "# CPU s per million heartbeats", "# times Lifesign's",
                 "# bytes per session", "# ms to tell, p50", "# p99"], lines)


def events(records):
    found = {}
    for record in records:
        if record["metric"].startswith(("storm_", "fanout_")):
            found.setdefault(record["peer"], {})[record["metric"]] = record
    lines = []
    for peer, metrics in found.items():
        value = {name: record["value"] for name, record in metrics.items()}
        version = next(iter(metrics.values()))["version"]
        lines.append([f"{NAMES[peer]} {version}"] + [
            number(value.get(name)) for name in (
                "storm_false_offlines", "storm_cpu", "fanout_messages",
                "fanout_messages_needed", "fanout_cpu")])
    return rows(["server", "# false offlines in the storm", "# its CPU s",
                 "# messages to 1,000 watchers", "# changes to tell",
                 "# CPU s for them"], lines)


def markdown(records, missing):
    parts = ["Sessions with a connection each:", "", *beats(records, "own"),
             "Sessions that share 8 connections:", "",
             *beats(records, "shared"), *events(records)]
    parts += [f"Left out: {NAMES[peer]}: {why}."
              for peer, why in missing.items()]
    return "\n".join(parts)
