# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""The programs of docs/guide-rooms.md run as a person would start them."""

import os
import signal
import subprocess
import sys
import unittest

import grpc

import stubs
from server import Server

EXAMPLES = stubs.ROOT / "client/python/examples"


class GuideRooms(unittest.TestCase):

    def setUp(self):
        self.server = self.enterContext(Server())
        channel = self.enterContext(grpc.insecure_channel(self.server.address))
        self.stub = stubs.service_grpc.PresenceServiceStub(channel)

    def start(self, name, *arguments):
        program = subprocess.Popen(
            [sys.executable, "-B", str(EXAMPLES / name),
             self.server.address, *arguments],
            stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": stubs.FOLDER})
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.kill)
        return program

    def send(self, user, **what):
        return self.stub.SendSignal(stubs.service.SendSignalRequest(
            user_id=user, session_id="s1", **what))

    def enter(self, user, room, kind):
        return self.send(
            user, kind=kind,
            open=stubs.service.OpenOptions(
                rooms=stubs.service.RoomSet(room_ids=[room]))).attachment

    def test_it_waits_until_enough_are_there(self):
        program = self.start("ready.py", "standup", "2")
        self.server.tell("awaits 1")
        self.enter("ann", "standup", "SIGNAL_KIND_ACTIVE")
        self.enter("cid", "standup", "SIGNAL_KIND_BACKGROUND")
        self.enter("bob", "standup", "SIGNAL_KIND_ACTIVE")
        self.assertEqual(program.stdout.readline(),
                         "ready: 2 active, 2 needed\n")
        lines = program.stdout.read().splitlines()
        self.assertCountEqual(
            lines, ["ann is ACTIVE", "cid is AWAY", "bob is ACTIVE"])
        self.assertEqual(program.wait(), 0)

    def test_it_waits_for_a_minute(self):
        program = self.start("ready.py", "standup")
        self.server.tell("awaits 1")
        self.server.tell("advance 60s")
        self.assertEqual(program.stdout.read(),
                         "not ready: 0 active, 2 needed\n")
        self.assertEqual(program.wait(), 0)

    def test_it_tells_who_comes_and_goes(self):
        program = self.start("rooms.py", "ann", "lobby")
        self.assertEqual(program.stdout.readline(), "ann is ACTIVE\n")
        attachment = self.enter("bob", "lobby", "SIGNAL_KIND_BACKGROUND")
        self.assertEqual(program.stdout.readline(), "bob is AWAY\n")
        self.send("bob", attachment=attachment, kind="SIGNAL_KIND_LEAVE")
        self.assertEqual(program.stdout.readline(), "bob is OFFLINE\n")
        self.server.tell("advance 15100ms")
        self.assertEqual(program.stdout.readline(), "ann is IDLE\n")
        program.send_signal(signal.SIGINT)
        self.assertRegex(
            program.stdout.read(),
            "[01] there now, at most 2 in the last 15 minutes\n")
        self.assertEqual(program.wait(), 0)


if __name__ == "__main__":
    unittest.main()
