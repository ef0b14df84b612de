# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Plants known bugs in a copy of the sources, one at a time, and lets the
simulation look for each. `./dev sim --planted`.

usage: plant.py [--seeds N] [--jobs J] [--only WORD]

Prints a table for docs/reliability.md; fails if a bug was not found.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

import bugs

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCE = ROOT / "build" / "planted"
# Where ./dev has it: so ccache knows what was built there.
BUILD = SOURCE / "build" / "dev"


def copy_sources():
    """Makes SOURCE what the repository is, touching only what differs."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    wanted = {name for name in listed.splitlines() if (ROOT / name).is_file()}
    for name in wanted:
        source, copy = ROOT / name, SOURCE / name
        if copy.is_file() and copy.read_bytes() == source.read_bytes():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    for copy in SOURCE.rglob("*"):
        name = str(copy.relative_to(SOURCE))
        if copy.is_file() and name not in wanted and (
                not name.startswith("build/")):
            copy.unlink()


def build(jobs):
    os.environ.update(CCACHE_BASEDIR=str(SOURCE), CCACHE_NOHASHDIR="1")
    subprocess.run(
        ["cmake", "-G", "Ninja", "-S", SOURCE, "-B", BUILD,
         "-DCMAKE_BUILD_TYPE=RelWithDebInfo"],
        stdout=subprocess.DEVNULL, check=True)
    subprocess.run(["ninja", "-C", BUILD, "-j", str(jobs), "lifesign_sim"],
                   stdout=subprocess.DEVNULL, check=True)


def simulate(seeds, jobs):
    """The first seed that fails, its fault and its number of steps; or None."""
    done = subprocess.run(
        [BUILD / "tests" / "sim" / "lifesign_sim", "--any",
         "--seeds", str(seeds), "--jobs", str(jobs)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False)
    failures = re.findall(
        r"^seed (\d+): (.*?)\n(?:.*\n)*?.*steps these are needed:\n"
        r"((?:    .*\n)*)  then: (.*)", done.stdout, re.MULTILINE)
    if done.returncode == 0:
        return None
    # An assertion of the server's own finds a bug as well.
    crashes = re.findall(r"^CRASHED in seed 0*(\d+)$", done.stdout,
                         re.MULTILINE)
    if crashes and not failures:
        return min(int(seed) for seed in crashes), "an assertion", "-"
    seed, _, script, fault = min(failures, key=lambda found: int(found[0]))
    return int(seed), fault.split("\n")[0], script.count("\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    copy_sources()
    build(arguments.jobs)
    if simulate(200, arguments.jobs) is not None:
        sys.exit("the simulation fails without any bug planted")
    print("| planted | found by seed | steps needed | as |")
    print("| --- | --- | --- | --- |", flush=True)
    missed = 0
    for bug in bugs.BUGS:
        if arguments.only not in bug.name:
            continue
        file = SOURCE / bug.file
        sound = file.read_text(encoding="utf-8")
        if sound.count(bug.old) != 1:
            sys.exit(f"{bug.file} has changed: {bug.name}")
        file.write_text(sound.replace(bug.old, bug.new), encoding="utf-8")
        build(arguments.jobs)
        found = simulate(arguments.seeds, arguments.jobs)
        file.write_text(sound, encoding="utf-8")
        if found is None:
            missed += 1
            print(f"| {bug.name} | **not found** | | |", flush=True)
        else:
            seed, fault, steps = found
            print(f"| {bug.name} | {seed} | {steps} | {fault} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
