# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""What ./dev bench says of numbers, without measuring any."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench"))
from harness import compare, curves, results  # pylint: disable=wrong-import-position


def entry(name, samples, floors=()):
    """An entry of a result file."""
    return results.Measurement(name, "ns", list(samples),
                               list(floors)).as_entry()


class ResultsTest(unittest.TestCase):

    def test_the_ratio_is_the_median_of_the_runs_own(self):
        # The machine was twice as slow in the second run: no run's ratio is.
        measured = entry("heartbeat_quiet_cpu", [110, 240, 130],
                         [100, 200, 100])
        self.assertAlmostEqual(measured["ratio"], 1.2)
        self.assertEqual(measured["value"], 130)
        self.assertEqual(measured["floor"], 100)
        self.assertEqual(measured["runs"], 3)
        self.assertTrue(measured["met"])

    def test_the_spread_is_that_of_what_the_goal_speaks_of(self):
        self.assertAlmostEqual(
            entry("apply_by_handle", [50, 200], [100, 400])["spread"], 0)
        self.assertAlmostEqual(entry("tick_idle_1m", [1, 2, 3])["spread"], 1)

    def test_goals_are_met_at_their_bounds_except_strict_ones(self):
        self.assertTrue(entry("apply_by_handle", [10], [10])["met"])
        self.assertFalse(entry("apply_by_handle", [10.1], [10])["met"])
        self.assertTrue(entry("storm_false_changes", [0])["met"])
        self.assertFalse(entry("storm_false_changes", [1])["met"])
        self.assertFalse(entry("idle_answer_p99", [10])["met"])
        self.assertTrue(entry("idle_answer_p99", [9.9])["met"])

    def test_a_file_is_read_as_it_was_written(self):
        entries = [entry("tick_idle_1m", [0.1]),
                   entry("apply_by_id", [3, 4], [2, 2])]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "results.json")
            results.write(path, entries)
            self.assertEqual(results.read(path),
                             {one["name"]: one for one in entries})

    def test_the_table_says_what_was_missed(self):
        table = results.table([entry("apply_by_id", [30], [10]),
                               entry("tick_idle_1m", [0.5])])
        self.assertIn("| `apply_by_id` | 30 ns | 10 ns | 3 | ratio ≤ 1.5 | no",
                      table)
        self.assertIn("| `tick_idle_1m` | 0.5 ns | – | – | value ≤ 1 | yes",
                      table)


class CompareTest(unittest.TestCase):

    def found(self, before, after):
        """The regressions between two entries."""
        return list(compare.regressions({before["name"]: before},
                                        {after["name"]: after}))

    def test_within_the_spread_nothing_is_worse(self):
        before = entry("heartbeat_quiet_cpu", [90, 100, 110], [100] * 3)
        self.assertEqual(
            [], self.found(before, entry("heartbeat_quiet_cpu",
                                         [118, 119, 120], [100] * 3)))

    def test_beyond_the_spread_it_is(self):
        before = entry("heartbeat_quiet_cpu", [99, 100, 101], [100] * 3)
        after = entry("heartbeat_quiet_cpu", [109, 110, 111], [100] * 3)
        self.assertEqual(1, len(self.found(before, after)))
        self.assertEqual([], self.found(after, before))

    def test_a_slower_machine_is_no_regression(self):
        before = entry("heartbeat_quiet_cpu", [110, 110], [100, 100])
        self.assertEqual([], self.found(
            before, entry("heartbeat_quiet_cpu", [220, 220], [200, 200])))

    def test_any_false_change_is_one(self):
        self.assertEqual(1, len(self.found(
            entry("storm_false_changes", [0, 0]),
            entry("storm_false_changes", [2, 2]))))

    def test_a_name_that_is_gone_is_one(self):
        before = {"tick_idle_1m": entry("tick_idle_1m", [1])}
        self.assertEqual(1, len(list(compare.regressions(before, {}))))


class CurvesTest(unittest.TestCase):

    def test_the_slope_is_the_exponent(self):
        self.assertAlmostEqual(curves.slope([1, 10, 100], [2, 20, 200]), 1)
        self.assertAlmostEqual(curves.slope([1, 10, 100], [7, 7, 7]), 0)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
