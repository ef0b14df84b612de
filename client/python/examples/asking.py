# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Says how many are online and who they are, then waits for one of some users.

usage: asking.py [SERVER [USER…]]
"""

import sys

import grpc
from google.protobuf import duration_pb2
from lifesign.v1 import presence_pb2 as presence
from lifesign.v1 import presence_service_pb2 as api
from lifesign.v1 import presence_service_pb2_grpc as service

WAIT_SECONDS = 60


def everybody(stub):
    """Who is online, page after page. A page may be empty and not the last."""
    request = api.ListPresencesRequest(page_size=500)
    while True:
        page = stub.ListPresences(request)
        yield from page.presences
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def wait_for_one_of(stub, users):
    """Who of them came to be active; nobody if the wait was over before."""
    answer = stub.AwaitPresence(
        api.AwaitPresenceRequest(
            predicates=[api.PresencePredicate(
                users=api.UserSet(user_ids=users),
                at_least=presence.PRESENCE_STATE_ACTIVE)],
            wait=duration_pb2.Duration(seconds=WAIT_SECONDS)),
        timeout=WAIT_SECONDS + 5)
    return list(answer.results[0].user_ids)


def main(server="127.0.0.1:7400", *users):
    with grpc.insecure_channel(server) as channel:
        stub = service.PresenceServiceStub(channel)
        counts = stub.CountPresences(api.CountPresencesRequest())
        print(f"{counts.users} online, on {counts.sessions} sessions")
        for one in everybody(stub):
            state = presence.PresenceState.Name(one.state)
            print(f"{one.user_id} is {state.removeprefix('PRESENCE_STATE_')}")
        if users:
            sys.stdout.flush()
            here = wait_for_one_of(stub, users)
            print(f"here: {', '.join(here) or 'nobody'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
