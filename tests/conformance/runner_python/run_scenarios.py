# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""The shared scenarios, each a test, against Python's gRPC.

usage: run_scenarios.py [TEXT_IN_THE_NAME]

LIFESIGN_CONFORMANCE_SERVER names the server's binary.
"""

import json
import pathlib
import sys
import unittest

from interpreter import Interpreter
from server import Server

SCENARIOS = pathlib.Path(__file__).resolve().parents[1] / "scenarios"


class Scenarios(unittest.TestCase):
    """One test method a scenario, made below."""

    maxDiff = None

    def play(self, scenario):
        with Server() as server:
            interpreter = Interpreter(server)
            self.addCleanup(interpreter.stop)
            for number, step in enumerate(scenario["steps"], 1):
                try:
                    interpreter.do(step)
                except Exception as error:
                    raise AssertionError(
                        f"{scenario['name']}\n({scenario['says']})\n"
                        f"step {number}: {json.dumps(step)}\n{error}"
                    ) from (None if isinstance(error, AssertionError)
                            else error)


def add_tests(wanted):
    for file in sorted(SCENARIOS.glob("*.json")):
        for scenario in json.loads(file.read_text(encoding="utf-8")):
            name = f"{file.stem}: {scenario['name']}"
            if wanted in name:
                setattr(Scenarios, f"test {name}",
                        lambda self, scenario=scenario: self.play(scenario))


if __name__ == "__main__":
    add_tests(sys.argv[1] if len(sys.argv) > 1 else "")
    unittest.main(argv=sys.argv[:1], verbosity=2)
