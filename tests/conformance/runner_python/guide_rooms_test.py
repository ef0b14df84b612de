# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""The program of docs/guide-rooms.md runs as a person would start it."""

import os
import signal
import subprocess
import sys
import unittest

import grpc

import stubs
from server import Server

PROGRAM = [sys.executable, "-B",
           str(stubs.ROOT / "client/python/examples/rooms.py")]


class GuideRooms(unittest.TestCase):

    def setUp(self):
        self.server = self.enterContext(Server())
        channel = self.enterContext(grpc.insecure_channel(self.server.address))
        self.stub = stubs.service_grpc.PresenceServiceStub(channel)

    def start(self, *arguments):
        program = subprocess.Popen(
            [*PROGRAM, self.server.address, *arguments],
            stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": stubs.FOLDER})
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.kill)
        return program

    def send(self, user, **what):
        return self.stub.SendSignal(stubs.service.SendSignalRequest(
            user_id=user, session_id="s1", **what))

    def test_it_tells_who_comes_and_goes(self):
        program = self.start("ann", "lobby")
        self.assertEqual(program.stdout.readline(), "ann is ACTIVE\n")
        attachment = self.send(
            "bob", kind="SIGNAL_KIND_BACKGROUND",
            open=stubs.service.OpenOptions(
                rooms=stubs.service.RoomSet(room_ids=["lobby"]))).attachment
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
