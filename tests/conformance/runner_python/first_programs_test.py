# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""The programs that pages show or name really run: the first ones of the README
in Python, Node and C++, and those of the guides.

Each runs as a person would start it, against a server whose windows and
intervals are a hundredth of the default: it beats ten times a second, in real
time, while the server's clock is moved by hand.
"""

import os
import signal
import subprocess
import sys
import time
import unittest

import grpc

import plain
import stubs
from link import Link
from server import Server

# Real seconds after which what did not happen never will.
PATIENCE = 30



def python(program):
    return [sys.executable, "-B",
            str(stubs.ROOT / "client/python/examples" / program)]


def node(program):
    return ["node", str(stubs.ROOT / "client/node/examples" / program)]


class FirstPrograms(unittest.TestCase):

    def setUp(self):
        self.server = self.enterContext(Server("--time_scale_percent=1"))
        channel = self.enterContext(grpc.insecure_channel(self.server.address))
        self.stub = stubs.service_grpc.PresenceServiceStub(channel)

    def start(self, command, *words, server=None):
        self.program = subprocess.Popen(
            [*command, server or self.server.address, *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": stubs.FOLDER})
        self.addCleanup(self.program.stdin.close)
        self.addCleanup(self.program.stdout.close)
        self.addCleanup(self.program.kill)

    def read_until(self, wanted):
        """What it prints, up to and including the line `wanted`."""
        lines = []
        for line in self.program.stdout:
            lines.append(line.rstrip())
            if lines[-1] == wanted:
                return lines
        self.fail(f"it ended after {lines}, without {wanted!r}")

    def send(self, user, kind, **more):
        return self.stub.SendSignal(stubs.service.SendSignalRequest(
            user_id=user, session_id="tab", kind=kind, **more))

    def login(self, user):
        return self.send(user, "SIGNAL_KIND_ACTIVE",
                         open=stubs.service.OpenOptions()).attachment

    def presence(self, user):
        return plain.of_message(self.stub.GetPresence(
            stubs.service.GetPresenceRequest(user_id=user)))["presence"]

    def await_last_seen(self, user, at):
        give_up_at = time.monotonic() + PATIENCE
        while self.presence(user)["last_seen"] != at:
            self.assertLess(time.monotonic(), give_up_at,
                            f"{user} was not heard at {at}")

    def run_first_program(self, command):
        self.start(command, "alice", "alice", "bob")
        self.read_until("alice is ACTIVE")
        self.stub.SendSignal(stubs.service.SendSignalRequest(
            user_id="bob", session_id="tab",
            open=stubs.service.OpenOptions()))
        self.read_until("bob is IDLE")

        # The active window is 150 ms: who is not heard of becomes idle.
        for at in ("@0.1s", "@0.2s", "@0.3s", "@0.4s"):
            self.server.tell("advance 100ms")
            self.await_last_seen("alice", at)
        self.assertEqual(self.presence("alice")["state"],
                         "PRESENCE_STATE_ACTIVE")

        # As Ctrl-C does.
        self.program.send_signal(signal.SIGINT)
        rest = self.program.stdout.read().split("\n")
        self.assertEqual(self.program.wait(PATIENCE), 0)
        self.assertNotIn("alice is IDLE", rest)
        self.assert_left("alice")

    def assert_left(self, user):
        self.assertEqual(self.presence(user)["state"],
                         "PRESENCE_STATE_OFFLINE")
        explained = self.stub.ExplainPresence(
            stubs.service.ExplainPresenceRequest(user_id=user))
        self.assertEqual(plain.of_message(explained)["last_cause"],
                         "CAUSE_LEAVE")

    def test_python_holds_a_session_watches_and_leaves(self):
        self.run_first_program(python("first.py"))

    def test_node_holds_a_session_watches_and_leaves(self):
        self.run_first_program(node("first.js"))

    def watch_all(self, command):
        attachment = self.login("alice")
        link = self.enterContext(Link(self.server.address))
        self.start(command, server=link.address)
        self.read_until("alice is ACTIVE")
        self.login("bob")
        self.read_until("bob is ACTIVE")
        # Both windows are over: 0.15 s and 0.6 s.
        self.server.tell("advance 200ms")
        self.read_until("alice is IDLE")
        self.send("alice", "SIGNAL_KIND_LEAVE", attachment=attachment)
        self.read_until("alice is not here")
        self.server.tell("advance 500ms")
        self.read_until("bob is not here")
        # It goes on from there when the link comes back.
        self.login("cid")
        self.read_until("cid is ACTIVE")
        link.cut()
        self.login("bob")
        link.mend()
        self.assertEqual(self.without_notes(self.read_until("bob is ACTIVE")),
                         ["bob is ACTIVE"])

    def without_notes(self, lines):
        return [line for line in lines if " is " in line]

    def test_python_watches_everyone(self):
        self.watch_all(python("watch_all.py"))

    def test_node_watches_everyone(self):
        self.watch_all(node("watch_all.js"))

    def test_cpp_watches_everyone(self):
        self.watch_all([os.environ["LIFESIGN_WATCH_ALL_CPP"]])

    def follow(self, command, added=("line 1 is done", "line 2 is done"),
               removed="line 3 is done"):
        self.login("alice")
        self.start(command)

        def say(line):
            self.program.stdin.write(line + "\n")
            self.program.stdin.flush()

        say("alice")
        self.read_until("alice is ACTIVE")
        for line in added[:1]:
            self.read_until(line)
        say("bob")
        self.read_until("bob is OFFLINE")
        for line in added[1:]:
            self.read_until(line)
        say("-alice")
        self.read_until(removed)
        self.server.tell("advance 200ms")
        self.login("bob")
        self.assertNotIn("alice is IDLE", self.read_until("bob is ACTIVE"))

    def test_python_follows_who_is_added(self):
        self.follow(python("follow.py"))

    def test_node_follows_who_is_added(self):
        self.follow(node("follow.js"))

    def test_cpp_follows_who_is_added(self):
        self.follow([os.environ["LIFESIGN_FOLLOW_CPP"]], added=(),
                    removed="alice is off the list")

    def test_node_enters_a_room(self):
        self.start(node("rooms.js"), "alice", "lobby")
        self.read_until("1 there now, at most 1 in the last 15 minutes")
        self.program.send_signal(signal.SIGINT)
        self.read_until("0 there now, at most 1 in the last 15 minutes")
        self.assertEqual(self.program.wait(PATIENCE), 0)
        self.assert_left("alice")

    def test_cpp_holds_a_session_watches_and_leaves(self):
        self.start([os.environ["LIFESIGN_FIRST_CPP"]], "alice", "alice")
        self.read_until("alice is ACTIVE")
        # Nobody types, so alice decays, but her session is heard of.
        self.server.tell("advance 200ms")
        self.read_until("alice is IDLE")
        self.await_last_seen("alice", "@0.2s")

        self.program.stdin.write("a line is an interaction\n")
        self.program.stdin.flush()
        self.read_until("alice is ACTIVE")

        self.program.stdin.close()
        self.assertEqual(self.program.wait(PATIENCE), 0)
        self.assert_left("alice")


if __name__ == "__main__":
    unittest.main(verbosity=2)
