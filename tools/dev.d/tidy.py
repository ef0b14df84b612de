# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy over our sources, each again only when it has changed.

A source that was clean is remembered in .cache/tidy under a hash of itself, of
every file of ours that it includes, of .clang-tidy and of the compiler's
command: a header that changes brings back the sources that see it, no others.
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "clang-thread-safety"
CACHE = ROOT / ".cache" / "tidy"
OURS = ("server/", "client/", "tests/", "bench/")
# Where our includes start.
INCLUDED_FROM = (ROOT, ROOT / "client" / "cpp")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def sources_seen_by(source, seen=None):
    """`source` and every file of ours that it includes, directly or not."""
    seen = set() if seen is None else seen
    if source in seen:
        return seen
    seen.add(source)
    for name in INCLUDE.findall(source.read_text(encoding="utf-8")):
        if name.endswith(".pb.h"):
            # Generated: stands and falls with the proto files.
            seen.update((ROOT / "proto").rglob("*.proto"))
        for start in INCLUDED_FROM:
            if (start / name).is_file():
                sources_seen_by(start / name, seen)
    return seen


def fingerprint(source, command, rules):
    digest = hashlib.sha256(rules + command.encode())
    for file in sorted(sources_seen_by(source)):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0")
        digest.update(file.read_bytes())
    return digest.hexdigest()


def tidy(program, source):
    done = subprocess.run(
        [program, "--quiet", f"-p={BUILD}", str(source)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        check=False)
    if done.returncode == 0:
        return ""
    return (done.stdout or done.stderr).replace(f"{ROOT}/", "")


def unseen(output, seen):
    """The findings in `output` that no source has brought before: one in a
    header comes with every source that includes it."""
    findings = re.split(r"^(?=\S+:\d+:\d+: (?:error|warning): )", output,
                        flags=re.MULTILINE)
    fresh = [finding for finding in findings if finding.strip() not in seen]
    seen.update(finding.strip() for finding in findings)
    return "".join(fresh).strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    program = shutil.which("clang-tidy-14") or shutil.which("clang-tidy")
    version = subprocess.run([program, "--version"], stdout=subprocess.PIPE,
                             check=True).stdout
    rules = version + (ROOT / ".clang-tidy").read_bytes()

    due = {}
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    for entry in commands:
        source = pathlib.Path(entry["file"])
        if not source.is_relative_to(ROOT) or not source.is_file():
            continue
        if str(source.relative_to(ROOT)).startswith(OURS):
            # The command names the folder of this checkout; the hash does not.
            command = entry["command"].replace(str(ROOT), "")
            due[source] = fingerprint(source, command, rules)
    CACHE.mkdir(parents=True, exist_ok=True)
    total = len(due)
    due = {s: hash_ for s, hash_ in due.items() if not (CACHE / hash_).exists()}
    print(f"clang-tidy: {len(due)} of {total} sources to look at", flush=True)

    clean = True
    seen = set()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        running = {pool.submit(tidy, program, source): source for source in due}
        for future in concurrent.futures.as_completed(running):
            source = running[future]
            if future.result():
                clean = False
                fresh = unseen(future.result(), seen)
                if fresh:
                    print(fresh, flush=True)
            else:
                (CACHE / due[source]).touch()
    return 0 if clean else 1


sys.exit(main())
