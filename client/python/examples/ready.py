# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Waits until enough are active in a room, then says who is there.

usage: ready.py [SERVER [ROOM [NEEDED]]]
"""

import sys

import grpc
from google.protobuf import duration_pb2
from lifesign.v1 import presence_pb2 as presence
from lifesign.v1 import presence_service_pb2 as api
from lifesign.v1 import presence_service_pb2_grpc as service

WAIT_SECONDS = 60


def wait_until_ready(stub, room, needed):
    """Whether so many were active there, and how many there were."""
    result = stub.AwaitPresence(
        api.AwaitPresenceRequest(
            predicates=[api.PresencePredicate(
                room_id=room, needed=needed,
                at_least=presence.PRESENCE_STATE_ACTIVE)],
            wait=duration_pb2.Duration(seconds=WAIT_SECONDS)),
        timeout=WAIT_SECONDS + 5).results[0]
    return result.satisfied, result.matching


def members(stub, room):
    """Who is there, page after page, in the order in which they came."""
    request = api.ListPresencesRequest(room_id=room, page_size=500)
    while True:
        page = stub.ListPresences(request)
        yield from page.presences
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def main(server="127.0.0.1:7400", room="standup", needed="2"):
    with grpc.insecure_channel(server) as channel:
        stub = service.PresenceServiceStub(channel)
        ready, active = wait_until_ready(stub, room, int(needed))
        print(f"{'ready' if ready else 'not ready'}: "
              f"{active} active, {needed} needed")
        for one in members(stub, room):
            state = presence.PresenceState.Name(one.state)
            print(f"{one.user_id} is {state.removeprefix('PRESENCE_STATE_')}")


if __name__ == "__main__":
    main(*sys.argv[1:])
