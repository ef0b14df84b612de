# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""The rules of this house that no linter knows. `./dev check house-rules`.

Prints one line for each breach, `file:line: rule: why`, and fails if there is
one. Each rule is a function of a file's path and text; RULES lists them.
"""

import pathlib
import re
import subprocess
import sys

import embedded_files

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What a folder may include of ours: itself and what is named here. docs/
# architecture.md says why; the link sets in CMake enforce the same.
LAYERS = {
    "server/base": ["server/base/"],
    "server/core": ["server/base/", "server/core/"],
    "server/transport": ["server/base/", "server/core/", "server/transport/"],
    "server/ops": ["server/base/", "server/core/", "server/transport/",
                   "server/ops/"],
    "client": ["client/", "server/base/"],
    # Computes what the core starts from; not part of any client.
    "client/cli/simulate/confidence_table.cc": [
        "client/", "server/base/", "server/core/"],
}

# The core is a value that is told the time. What would let it look for itself:
CORE_INCLUDES = re.compile(
    r'[<"](grpc|google/|lifesign/|thread>|mutex>|shared_mutex>|condition_variable'
    r"|future>|atomic_wait|sys/|unistd|time\.h|ctime|iostream|fstream|spdlog"
    r"|absl/synchronization|absl/time/clock)|\.pb\.h")
CORE_CALLS = re.compile(
    r"(system_clock|steady_clock|high_resolution_clock)\b|absl::Now\("
    r"|\b(gettimeofday|clock_gettime|std::time)\s*\(|std::(jthread|thread|async)\b"
    r"|sleep_(for|until)|\bgrpc::|google::protobuf")
# server/base knows how to do things, not what for.
BASE_INCLUDES = re.compile(r'[<"](grpc|google/protobuf|lifesign/)|\.pb\.h')

INCLUDE = re.compile(r"^\s*#\s*include\s+(\S+)")
SLEEP = re.compile(
    r"sleep_for|sleep_until|usleep\s*\(|nanosleep|time\.sleep|absl::SleepFor"
    r"|asyncio\.sleep\((?!0\))|(?<![\w.])sleep\s*\(\s*\d|^\s*sleep\s+[\d.]")
# Written with brackets so that this file keeps its own rule.
UNFINISHED = re.compile(
    r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b|\bfor[ ]now\b|not[ ]implemented",
    re.IGNORECASE)
MACHINE_PATH = re.compile(r"/(home/[a-z]|root/|Users/)")

CODE = (".cc", ".h", ".proto", ".py", ".js", ".mjs", ".ts", ".sh", ".cmake")


def is_code(path):
    return path.endswith(CODE) or path.startswith("tools/dev.d/") or path == "dev"


def matching_lines(text, pattern):
    for number, line in enumerate(text.split("\n"), 1):
        if pattern.search(line):
            yield number, line.strip()


def layers(path, text):
    """A part includes only parts below it."""
    if not path.endswith((".cc", ".h")):
        return
    # The closest rule holds.
    folders = [f for f in LAYERS if f"{path}/".startswith(f + "/")]
    for folder in sorted(folders, key=len)[-1:]:
        allowed = LAYERS[folder]
        for number, line in enumerate(text.split("\n"), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            included = match[1].strip('"<>')
            if included.startswith(("server/", "client/")) and not (
                    included.startswith(tuple(allowed))):
                yield number, f"{folder} may not include {included}"
            if folder == "server/core" and CORE_INCLUDES.search(match[1]):
                yield number, (f"the core knows no RPC, protobuf, thread, clock "
                               f"or file: {included}")
            if folder == "server/base" and BASE_INCLUDES.search(match[1]):
                yield number, f"server/base knows no message: {included}"


def core_is_pure(path, text):
    """The core is told the time and starts nothing."""
    if path.startswith("server/core/") and path.endswith((".cc", ".h")):
        for number, line in enumerate(text.split("\n"), 1):
            code = line.split("//")[0]
            if CORE_CALLS.search(code):
                yield number, f"pass `now` in, start nothing: {code.strip()}"


def no_sleep_in_tests(path, text):
    """Tests move a simulated clock or wait on a condition."""
    if path.startswith("tests/") and path.endswith(CODE):
        for number, line in matching_lines(text, SLEEP):
            yield number, f"wait on a condition instead: {line}"


def finished(path, text):
    """What is committed is finished; what is missing is an issue."""
    if is_code(path) or path.endswith(".md"):
        for number, line in matching_lines(text, UNFINISHED):
            yield number, f"finish it or take it out: {line}"


def no_machine_paths(path, text):
    """Nothing depends on one person's machine."""
    for number, line in matching_lines(text, MACHINE_PATH):
        if "MACHINE_PATH =" not in line:
            yield number, f"a path of one machine: {line}"


def licence(path, text):
    """Every source says whose it is and on which terms."""
    if is_code(path) and not path.endswith((".txt", "/packages")):
        head = text[:400]
        if ("SPDX-FileCopyrightText: The Lifesign Authors" not in head
                or "SPDX-License-Identifier: Apache-2.0" not in head):
            yield 1, "the two SPDX lines are missing at the top"


def headings(text):
    """The fragments that a Markdown page offers."""
    found = set()
    for line in prose(text).split("\n"):
        match = re.match(r"#{1,6}\s+(.*)", line)
        if match:
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1].strip())
            slug = re.sub(r"[^\w\s-]", "", title.lower()).replace(" ", "-")
            found.add(slug)
    return found


def prose(text):
    """Markdown without its code blocks, lines kept."""
    return re.sub(r"^```.*?^```", lambda m: "\n" * m[0].count("\n"), text,
                  flags=re.MULTILINE | re.DOTALL)


def links_lead_somewhere(path, text):
    """A link within the repository has a file, and a fragment a heading."""
    if not path.endswith(".md"):
        return
    for number, line in enumerate(prose(text).split("\n"), 1):
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, fragment = target.partition("#")
            file = (ROOT / path).parent / name if name else ROOT / path
            if not file.exists():
                yield number, f"nothing is there: {target}"
            elif fragment and file.suffix == ".md" and (
                    fragment not in headings(file.read_text(encoding="utf-8"))):
                yield number, f"no such heading: {target}"


def shown_programs_are_the_files(path, text):
    """A program on a page is the file that the page names, which is run."""
    if path.endswith(".md"):
        for number, name in embedded_files.stale(text):
            yield number, f"differs from {name}, or it is not there; ./dev fix"


def cited_sections_exist(path, text):
    """`concepts.md § N` in code and tests names a section that is there."""
    concepts = ROOT / "docs" / "concepts.md"
    if not concepts.is_file():
        return
    known = set(re.findall(r"^#{2,4}\s+§?\s*(\d+)", concepts.read_text(
        encoding="utf-8"), re.MULTILINE))
    for number, line in enumerate(text.split("\n"), 1):
        for section in re.findall(r"concepts\.md §\s*(\d+)", line):
            if section not in known:
                yield number, f"docs/concepts.md has no section {section}"


RULES = [layers, core_is_pure, no_sleep_in_tests, finished, no_machine_paths,
         licence, links_lead_somewhere, shown_programs_are_the_files,
         cited_sections_exist]


def main():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    breaches = 0
    for path in listed.splitlines():
        file = ROOT / path
        if path == "LICENSE" or not file.is_file():
            continue
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for rule in RULES:
            for number, why in rule(path, text):
                breaches += 1
                name = rule.__name__.replace("_", "-")
                print(f"{path}:{number}: {name}: {why}")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
