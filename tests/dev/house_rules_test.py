# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Each house rule finds the breach it is for, and lets the usual pass.

What must not stand in the repository is written here in two halves.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tools" / "dev.d"))
import house_rules  # pylint: disable=wrong-import-position

LICENCE = ("// SPDX-FileCopyrightText: The Lifesign Authors\n"
           "// SPDX-License-Identifier: Apache-2.0\n")


def breaches(path, text):
    """The names of the rules that `text`, as the file `path`, breaks."""
    return {rule.__name__ for rule in house_rules.RULES
            for _ in rule(path, LICENCE + text)}


class HouseRulesTest(unittest.TestCase):

    def test_the_core_includes_no_rpc_protobuf_thread_or_clock(self):
        for header in ("<grpcpp/grpcpp.h>", "<google/protobuf/message.h>",
                       '"lifesign/v1/presence.pb.h"', "<thread>", "<mutex>",
                       '"absl/time/clock.h"', '"server/transport/listener.h"',
                       '"server/ops/config.h"'):
            with self.subTest(header):
                self.assertEqual(
                    {"layers"},
                    breaches("server/core/a.cc", f"#include {header}\n"))

    def test_the_core_includes_itself_base_abseil_and_plain_headers(self):
        text = ('#include <vector>\n#include "absl/status/statusor.h"\n'
                '#include "server/base/mutex.h"\n'
                '#include "server/core/time.h"\n'
                "#include <boost/intrusive/list.hpp>\n")
        self.assertEqual(set(), breaches("server/core/a.cc", text))

    def test_the_core_reads_no_clock_and_starts_no_thread(self):
        for call in ("std::chrono::steady_clock::now();", "absl::Now();",
                     "std::thread t(f);", "clock_gettime(CLOCK_MONOTONIC, &t);"):
            with self.subTest(call):
                self.assertEqual({"core_is_pure"},
                                 breaches("server/core/a.cc", call))
        self.assertEqual(
            set(), breaches("server/core/a.cc", "f();  // not steady_clock\n"))

    def test_base_knows_no_message_and_no_part_above_it(self):
        for header in ('"server/core/time.h"', '"lifesign/v1/presence.pb.h"'):
            self.assertEqual(
                {"layers"},
                breaches("server/base/a.h", f"#include {header}\n"))

    def test_the_client_knows_nothing_of_the_server_but_base(self):
        self.assertEqual(
            {"layers"},
            breaches("client/cpp/a.cc", '#include "server/core/time.h"\n'))
        self.assertEqual(
            set(),
            breaches("client/cpp/a.cc", '#include "server/base/time.h"\n'))

    def test_tests_do_not_sleep(self):
        for path, call in (
                ("tests/a_test.cc", "std::this_thread::sleep" + "_for(1s);"),
                ("tests/a_test.cc", "absl::Sleep" + "For(x);"),
                ("tests/a.py", "time.sl" + "eep(1)"),
                ("tests/a.py", "await asyncio.sl" + "eep(0.1)"),
                ("tests/a.sh", "sl" + "eep 0.1")):
            with self.subTest(call):
                self.assertEqual({"no_sleep_in_tests"}, breaches(path, call))
        self.assertEqual(set(), breaches("tests/a_test.cc", "// asleep(x)"))

    def test_what_is_committed_is_finished(self):
        for words in ("// TO" + "DO: later", "// good enough for" + " now",
                      "return Unimplemented(\"not" + " implemented\");"):
            with self.subTest(words):
                self.assertEqual({"finished"},
                                 breaches("server/ops/a.cc", words))

    def test_sources_carry_the_licence(self):
        self.assertTrue(list(house_rules.licence("a.cc", "int x;\n")))
        self.assertFalse(list(house_rules.licence("a.cc", LICENCE)))

    def test_links_lead_to_a_file_and_a_heading(self):
        page = "docs/a.md"
        self.assertEqual({"links_lead_somewhere"},
                         breaches(page, "[x](no-such-file.md)"))
        self.assertEqual({"links_lead_somewhere"},
                         breaches(page, "[x](api.md#no-such-heading)"))
        self.assertEqual(set(), breaches(
            page, "[x](api.md#presenceservice) [y](https://example.org) "
            "[z](../LICENSE)\n```\n[in code](nowhere)\n```\n"))

    def test_a_program_on_a_page_is_the_file_that_it_names(self):
        name = "tests/dev/CMakeLists.txt"
        text = (pathlib.Path(__file__).parent / "CMakeLists.txt").read_text(
            encoding="utf-8").split("\n", 2)[2].lstrip("\n")
        page = f"<!-- file: {name} -->\n```cmake\n{text}```\n"
        self.assertEqual(set(), breaches("docs/a.md", page))
        for other in (page.replace("\n```\n", "\n# more\n```\n"),
                      page.replace(name, "no/such/file.py")):
            self.assertEqual({"shown_programs_are_the_files"},
                             breaches("docs/a.md", other))


if __name__ == "__main__":
    unittest.main()
