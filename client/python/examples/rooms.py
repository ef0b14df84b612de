# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Enters a room, and prints who comes and goes there; leaves at Ctrl-C.

usage: rooms.py [SERVER [USER [ROOM]]]
"""

import sys
import uuid

import grpc
from lifesign.v1 import presence_pb2 as presence
from lifesign.v1 import presence_service_pb2 as api
from lifesign.v1 import presence_service_pb2_grpc as service


def enter(stub, user, session, room):
    """Opens a session in the room, in one step. A client that stays beats."""
    return stub.SendSignal(api.SendSignalRequest(
        user_id=user, session_id=session, kind=presence.SIGNAL_KIND_ACTIVE,
        open=api.OpenOptions(rooms=api.RoomSet(room_ids=[room])))).attachment


def leave(stub, user, session, attachment):
    stub.SendSignal(api.SendSignalRequest(
        user_id=user, session_id=session, attachment=attachment,
        kind=presence.SIGNAL_KIND_LEAVE))


def how_many(stub, room):
    occupancy = stub.GetRoom(api.GetRoomRequest(room_id=room)).occupancy
    quarter = occupancy.windows[-1]
    return (f"{occupancy.users} there now, "
            f"at most {quarter.peak_users} in the last 15 minutes")


def print_members(stub, room):
    """Who is there, then every change. States are those in the room."""
    newest = {}
    for response in stub.WatchPresence(api.WatchPresenceRequest(
            room=api.RoomSelector(room_id=room))):
        for record in [*response.snapshot, *response.changes]:
            if record.revision > newest.get(record.user_id, -1):
                newest[record.user_id] = record.revision
                state = presence.PresenceState.Name(record.state)
                print(f"{record.user_id} is "
                      f"{state.removeprefix('PRESENCE_STATE_')}", flush=True)


def main(server="127.0.0.1:7400", user="alice", room="lobby"):
    with grpc.insecure_channel(server) as channel:
        stub = service.PresenceServiceStub(channel)
        session = str(uuid.uuid4())
        attachment = enter(stub, user, session, room)
        try:
            print_members(stub, room)
        except KeyboardInterrupt:
            pass
        except grpc.RpcError as error:
            sys.exit(f"watch: {error.details()}")
        finally:
            leave(stub, user, session, attachment)
        print(how_many(stub, room))


if __name__ == "__main__":
    main(*sys.argv[1:])
