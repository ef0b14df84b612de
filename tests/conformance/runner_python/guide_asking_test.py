# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""The programs of docs/guide-asking.md run as a person would start them."""

import os
import subprocess
import sys
import unittest

import grpc

import stubs
from server import Server

PYTHON = [sys.executable, "-B",
          str(stubs.ROOT / "client/python/examples/asking.py")]
NODE = ["node", str(stubs.ROOT / "client/node/examples/asking.js")]


class GuideAsking(unittest.TestCase):

    def setUp(self):
        self.server = self.enterContext(Server())
        channel = self.enterContext(grpc.insecure_channel(self.server.address))
        self.stub = stubs.service_grpc.PresenceServiceStub(channel)

    def start(self, command, *users):
        program = subprocess.Popen(
            [*command, self.server.address, *users], stdout=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": stubs.FOLDER})
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.kill)
        return program

    def open(self, user):
        self.stub.SendSignal(stubs.service.SendSignalRequest(
            user_id=user, session_id="s1", open=stubs.service.OpenOptions(),
            kind="SIGNAL_KIND_ACTIVE"))

    def count_list_and_wait(self, command):
        self.open("ann")
        self.server.tell("advance 20s")
        program = self.start(command, "bob", "cid")
        self.assertEqual(program.stdout.readline(),
                         "1 online, on 1 sessions\n")
        self.assertEqual(program.stdout.readline(), "ann is IDLE\n")
        self.server.tell("awaits 1")
        self.open("cid")
        self.assertEqual(program.stdout.read(), "here: cid\n")
        self.assertEqual(program.wait(), 0)

    def wait_for_a_minute(self, command):
        program = self.start(command, "bob")
        self.server.tell("awaits 1")
        self.server.tell("advance 60s")
        self.assertEqual(program.stdout.read(),
                         "0 online, on 0 sessions\nhere: nobody\n")
        self.assertEqual(program.wait(), 0)

    def test_python_counts_lists_and_waits(self):
        self.count_list_and_wait(PYTHON)

    def test_node_counts_lists_and_waits(self):
        self.count_list_and_wait(NODE)

    def test_python_waits_for_a_minute(self):
        self.wait_for_a_minute(PYTHON)

    def test_node_waits_for_a_minute(self):
        self.wait_for_a_minute(NODE)


if __name__ == "__main__":
    unittest.main()
