# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps a list of everyone who is there, and prints how it changes.

When the link breaks it goes on from where it was: then only what has changed
meanwhile is sent.

usage: watch_all.py [SERVER]
"""

import random
import sys
import time

import grpc
from lifesign.v1 import presence_pb2 as presence
from lifesign.v1 import presence_service_pb2 as api
from lifesign.v1 import presence_service_pb2_grpc as service

HERE = (presence.PRESENCE_STATE_ACTIVE, presence.PRESENCE_STATE_IDLE)


class Here:
    """Who is ACTIVE or IDLE, by the rules that every receiver keeps."""

    def __init__(self):
        self.token = b""
        self.synced = False
        self._records = {}
        self._mentioned = None  # by a snapshot that replaces what is held

    def begin(self):
        """A stream begins: without a token with a whole snapshot."""
        self.synced = False
        self._mentioned = None if self.token else set()

    def take(self, response):
        """A message of the watch, in the order of its fields."""
        if response.HasField("resync"):
            self._mentioned = set()
        for record in [*response.snapshot, *response.changes]:
            self._take_record(record)
        if response.HasField("synced"):
            self._end_snapshot()
            self.synced = True
        # Before SYNCED something is missing.
        if self.synced and response.resume_token:
            self.token = response.resume_token

    def _take_record(self, record):
        held = self._records.get(record.user_id)
        replaces = self._mentioned is not None and \
            record.user_id not in self._mentioned
        if replaces:
            self._mentioned.add(record.user_id)
        elif held and record.revision <= held.revision:
            return
        if record.state in HERE:
            self._records[record.user_id] = record
        else:
            self._records.pop(record.user_id, None)
        was = held.state if held else None
        if was != record.state and (was or record.state in HERE):
            self._say(record.user_id, record.state)

    def _end_snapshot(self):
        """Who was not mentioned is not here any more."""
        if self._mentioned is None:
            return
        for user in [u for u in self._records if u not in self._mentioned]:
            del self._records[user]
            self._say(user, presence.PRESENCE_STATE_OFFLINE)
        self._mentioned = None

    def _say(self, user, state):
        if state in HERE:
            name = presence.PresenceState.Name(state)
            print(f"{user} is {name.removeprefix('PRESENCE_STATE_')}",
                  flush=True)
        else:
            print(f"{user} is not here", flush=True)


def main(server="127.0.0.1:7400"):
    here = Here()
    failures = 0
    with grpc.insecure_channel(server) as channel:
        stub = service.PresenceServiceStub(channel)
        while True:
            here.begin()
            try:
                for response in stub.WatchPresence(api.WatchPresenceRequest(
                        all=api.AllUsers(), states=HERE,
                        resume_token=here.token)):
                    here.take(response)
                    failures = 0
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                    sys.exit(f"watch: {error.details()}")
            # Not all at once: thousands of others were cut off as well.
            failures += 1
            time.sleep(random.uniform(0, min(60, 2 ** failures)))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
