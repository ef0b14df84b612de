# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Holds a session for one user, and prints how users change.

usage: first.py [SERVER [USER [WATCHED…]]]
"""

import random
import sys
import threading
import uuid

import grpc
from lifesign.v1 import presence_pb2 as presence
from lifesign.v1 import presence_service_pb2 as api
from lifesign.v1 import presence_service_pb2_grpc as service


def hold_session(stub, user, done):
    """Opens a session, beats at the interval the server promised, leaves."""
    interval = 1.0  # seconds, until the server has said one

    def requests():
        yield api.HeartbeatRequest(opens=[api.Open(
            handle=1, user_id=user, session_id=str(uuid.uuid4()),
            kind=presence.SIGNAL_KIND_ACTIVE,
            options=api.OpenOptions(device_class=presence.DEVICE_CLASS_BOT,
                                    instance=random.getrandbits(64)))])
        # 10 % either way: so that clients that started together do not stay so.
        while not done.wait(interval * random.uniform(0.9, 1.1)):
            yield api.HeartbeatRequest(signals=[api.Signal(
                handle=1, kind=presence.SIGNAL_KIND_ACTIVE)])
        yield api.HeartbeatRequest(signals=[api.Signal(
            handle=1, kind=presence.SIGNAL_KIND_LEAVE)])

    try:
        for answer in stub.Heartbeat(requests()):
            for update in answer.updates:
                interval = update.next_interval.ToTimedelta().total_seconds()
            for error in answer.errors:
                print(f"session: {error.status.message}", file=sys.stderr)
    except grpc.RpcError as error:
        print(f"session: {error.details()}", file=sys.stderr)


def print_changes(stub, users):
    """A snapshot first, then every change, until the watch ends."""
    newest = {}
    for response in stub.WatchPresence(api.WatchPresenceRequest(
            users=api.UserSet(user_ids=users))):
        for record in [*response.snapshot, *response.changes]:
            if record.revision > newest.get(record.user_id, -1):
                newest[record.user_id] = record.revision
                state = presence.PresenceState.Name(record.state)
                print(f"{record.user_id} is "
                      f"{state.removeprefix('PRESENCE_STATE_')}", flush=True)


def main(server="127.0.0.1:7400", user="alice", *watched):
    with grpc.insecure_channel(server) as channel:
        stub = service.PresenceServiceStub(channel)
        done = threading.Event()
        session = threading.Thread(target=hold_session, args=(stub, user, done))
        session.start()
        try:
            print_changes(stub, watched or [user])
        except KeyboardInterrupt:
            pass
        except grpc.RpcError as error:
            sys.exit(f"watch: {error.details()}")
        finally:
            done.set()
            session.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
