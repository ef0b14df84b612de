# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""A list of friends that grows and shrinks while it is watched.

Each line of input adds a user ("bob") or removes one ("-bob").

usage: follow.py [SERVER]
"""

import sys

import grpc
from lifesign.v1 import presence_pb2 as presence
from lifesign.v1 import presence_service_pb2 as api
from lifesign.v1 import presence_service_pb2_grpc as service


def requests():
    """First what to watch, which is nobody; then who comes and who goes."""
    yield api.FollowPresenceRequest(
        watch=api.WatchPresenceRequest(users=api.UserSet()))
    for line in sys.stdin:
        user = line.strip()
        if user.startswith("-"):
            yield api.FollowPresenceRequest(
                remove=api.UserSet(user_ids=[user[1:]]))
        elif user:
            yield api.FollowPresenceRequest(add=api.UserSet(user_ids=[user]))


def main(server="127.0.0.1:7400"):
    newest = {}
    with grpc.insecure_channel(server) as channel:
        stub = service.PresenceServiceStub(channel)
        for response in stub.FollowPresence(requests()):
            for record in [*response.snapshot, *response.changes]:
                if record.revision > newest.get(record.user_id, -1):
                    newest[record.user_id] = record.revision
                    state = presence.PresenceState.Name(record.state)
                    print(f"{record.user_id} is "
                          f"{state.removeprefix('PRESENCE_STATE_')}",
                          flush=True)
            for refusal in response.refused:
                print(f"line {refusal.message - 1}: {refusal.status.message}",
                      file=sys.stderr)
            # From here on nothing is told of who was removed by then.
            if response.acked > 1:
                print(f"line {response.acked - 1} is done", flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
    except grpc.RpcError as error:
        sys.exit(f"follow: {error.details()}")
