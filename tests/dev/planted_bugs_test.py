# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""The bugs that the simulation is tried with can still be planted."""

import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "sim" / "planted"))
import bugs  # pylint: disable=wrong-import-position


class PlantedBugsTest(unittest.TestCase):

    def test_each_finds_its_place(self):
        for bug in bugs.BUGS:
            with self.subTest(bug.name):
                text = (ROOT / bug.file).read_text(encoding="utf-8")
                self.assertEqual(
                    text.count(bug.old), 1,
                    f"{bug.file} has changed: adapt tests/sim/planted/bugs.py")

    def test_there_are_ten_at_least_and_each_differs(self):
        self.assertGreaterEqual(len(bugs.BUGS), 10)
        self.assertEqual(len({bug.name for bug in bugs.BUGS}), len(bugs.BUGS))


if __name__ == "__main__":
    unittest.main()
