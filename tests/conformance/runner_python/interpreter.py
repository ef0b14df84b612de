# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Does what a scenario says, step by step, with stubs made by grpcio-tools."""

import collections
import queue
import time

import grpc
from google.protobuf import json_format

import plain
import stubs
from matching import at, differences, resolved

# Real seconds after which a call, or a wait, has failed. Nothing waits so long
# unless the server does not answer.
PATIENCE = 30

SERVICE = "/lifesign.v1.PresenceService/"
METHODS = stubs.service.DESCRIPTOR.services_by_name["PresenceService"]
# An acknowledgement comes after what it acknowledges.
PARTS_OF_WATCH = ("created", "resync", "snapshot", "changes", "synced",
                  "progress", "occupancy", "intents", "refused", "acked")


def message_of(kind, value):
    return json_format.ParseDict(value, kind())


class Requests:
    """What a stream says, step by step."""

    def __init__(self):
        self._requests = queue.SimpleQueue()

    def __iter__(self):
        # Ends at the first None.
        return iter(self._requests.get, None)

    def send(self, message):
        self._requests.put(message)

    def half_close(self):
        self._requests.put(None)


class Heartbeat(Requests):

    def __init__(self, open_call):
        super().__init__()
        self.call = open_call(iter(self))


class Await:
    """An AwaitPresence call that is answered some time."""

    def __init__(self, call):
        self.call = call


class Watch:
    """A watch whose responses are taken apart: see PARTS_OF_WATCH."""

    def __init__(self, call):
        self.call = call
        self.token = b""
        self._parts = collections.deque()

    def next_part(self):
        """(name, content) of what came next."""
        while not self._parts:
            response = plain.of_message(next(self.call))
            self.token = response.get("resume_token", self.token)
            for name in PARTS_OF_WATCH:
                content = response.get(name)
                if isinstance(content, list):
                    self._parts.extend((name, record) for record in content)
                elif content is not None:
                    self._parts.append((name, content))
        return self._parts.popleft()


class Follow(Requests, Watch):
    """A watch whose users are changed step by step."""

    def __init__(self, open_call):
        Requests.__init__(self)
        Watch.__init__(self, open_call(iter(self)))


class Interpreter:

    def __init__(self, server):
        self._server = server
        self._streams = {}
        self._saved = {}
        self._connect()

    def stop(self):
        self._streams.clear()
        self._channel.close()

    def do(self, step):
        for verb in ("advance", "drain", "restart", "stream", "send", "told",
                     "close", "cancel", "ended", "call", "awaiting", "awaited",
                     "watch", "follow", "watched"):
            if verb in step:
                getattr(self, verb)(step)
                return
        raise ValueError("no such step")

    # --- The steps, by their verbs ---

    def advance(self, step):
        self._server.tell(f"advance {step['advance']}")

    def drain(self, step):
        self._server.tell(f"drain {step['drain']}")

    def restart(self, _):
        self.stop()
        self._server.restart()
        self._connect()

    def stream(self, step):
        if step.get("raw"):
            # Without a serializer bytes go out as they are.
            answer_of = stubs.service.HeartbeatResponse.FromString
            method = self._channel.stream_stream(
                SERVICE + "Heartbeat", response_deserializer=answer_of)
        else:
            method = self._stub.Heartbeat
        stream = Heartbeat(lambda requests: method(requests, timeout=PATIENCE))
        stream.raw = bool(step.get("raw"))
        self._streams[step["stream"]] = stream

    def send(self, step):
        stream = self._streams[step["send"]]
        if isinstance(stream, Follow):
            stream.send(message_of(stubs.service.FollowPresenceRequest,
                                   resolved(step["message"], self._saved)))
            if "answer" in step:
                self._read_until(stream, step, "acked", step["answer"])
            return
        if "bytes" in step:
            stream.send(bytes.fromhex(step["bytes"]))
        else:
            message = message_of(stubs.service.HeartbeatRequest,
                                 resolved(step["message"], self._saved))
            stream.send(message.SerializeToString() if stream.raw else message)
        if "answer" in step:
            self._compare(step, plain.of_message(next(stream.call)))

    def told(self, step):
        stream = self._streams[step["told"]]
        self._compare(step, plain.of_message(next(stream.call)))

    def close(self, step):
        stream = self._streams.pop(step["close"])
        stream.half_close()
        for _ in stream.call:
            pass

    def cancel(self, step):
        self._streams.pop(step["cancel"]).call.cancel()

    def ended(self, step):
        stream = self._streams.pop(step["ended"])
        try:
            for message in stream.call:
                response = plain.of_message(message)
                if "progress" not in response or response.get("changes"):
                    raise AssertionError(f"it goes on: {response}")
        except grpc.RpcError as error:
            self._compare(step, error=error)
        else:
            raise AssertionError("it ends with OK")

    def call(self, step):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer, error = self._unary(step), None
            except grpc.RpcError as raised:
                answer, error = None, raised
            if "eventually" not in step:
                return self._compare(step, answer, error)
            if error is None and not differences(step["eventually"], answer,
                                                 self._saved):
                return None
            if time.monotonic() > deadline:
                return self._compare({**step, "answer": step["eventually"]},
                                     answer, error)

    def awaiting(self, step):
        request = message_of(stubs.service.AwaitPresenceRequest,
                             resolved(step["request"], self._saved))
        self._streams[step["awaiting"]] = Await(
            self._stub.AwaitPresence.future(request, timeout=PATIENCE))
        self._server.tell(f"awaits {step.get('awaits', 1)}")

    def awaited(self, step):
        try:
            answer = self._streams.pop(step["awaited"]).call.result()
        except grpc.RpcError as error:
            self._compare(step, error=error)
        else:
            self._compare(step, plain.of_message(answer))

    def watch(self, step):
        request = message_of(stubs.service.WatchPresenceRequest,
                             resolved(step["request"], self._saved))
        watch = Watch(self._stub.WatchPresence(request, timeout=PATIENCE))
        self._begun(watch, step["watch"], step, "synced")

    def follow(self, step):
        request = message_of(stubs.service.WatchPresenceRequest,
                             resolved(step["request"], self._saved))
        follow = Follow(lambda requests: self._stub.FollowPresence(
            requests, timeout=PATIENCE))
        follow.send(stubs.service.FollowPresenceRequest(watch=request))
        self._begun(follow, step["follow"], step, "acked")

    def watched(self, step):
        watch = self._streams[step["watched"]]
        if "changes" in step:
            self._read_changes(watch, step)
        elif "progress" in step:
            self._read_until(watch, step, "progress",
                             {"changes": [], "progress": step["progress"]})
        else:
            self._read_until(watch, step, step["until"], step["answer"])

    # --- What they are made of ---

    def _connect(self):
        self._channel = grpc.insecure_channel(self._server.address)
        self._stub = stubs.service_grpc.PresenceServiceStub(self._channel)

    def _begun(self, watch, name, step, last):
        """`watch`, which is complete with the part called `last`."""
        self._streams[name] = watch
        if "answer" in step:
            self._read_until(watch, step, last, step["answer"])
        elif "error" in step:
            self.ended({"ended": name, "error": step["error"]})

    def _unary(self, step):
        method = METHODS.methods_by_name[step["call"]]
        answer_of = getattr(stubs.service, method.output_type.name).FromString
        if "bytes" in step:
            send = self._channel.unary_unary(SERVICE + method.name,
                                             response_deserializer=answer_of)
            request = bytes.fromhex(step["bytes"])
        else:
            send = getattr(self._stub, method.name)
            request = message_of(
                getattr(stubs.service, method.input_type.name),
                resolved(step["request"], self._saved))
        return plain.of_message(send(request, timeout=PATIENCE))

    def _read_until(self, watch, step, last, expected):
        """Everything up to and including the part called `last`."""
        read = {"snapshot": [], "changes": [], "refused": []}
        name = None
        while name != last:
            name, content = watch.next_part()
            if isinstance(read.get(name), list):
                read[name].append(content)
            else:
                read[name] = content
        # Which of the users comes first is the server's choice.
        read["snapshot"].sort(key=lambda record: record["user_id"])
        read["resume_token"] = watch.token
        self._compare({**step, "answer": expected}, read)

    def _read_changes(self, watch, step):
        """As many changes as are expected; progress may come between them."""
        read = []
        while len(read) < len(step["changes"]):
            name, content = watch.next_part()
            if name != "progress":
                read.append(content)
        read.sort(key=lambda record: record["user_id"])
        self._compare({**step, "answer": {"changes": step["changes"]}},
                      {"changes": read, "resume_token": watch.token})

    def _compare(self, step, answer=None, error=None):
        if error is not None:
            error = plain.of_rpc_error(error)
        if "error" in step:
            if error is None:
                raise AssertionError(
                    f"expected {step['error']}, was answered {answer}")
            found = differences(step["error"], error, self._saved)
            actual = error
        else:
            if error is not None:
                raise AssertionError(f"failed with {error}")
            found = differences(step.get("answer", {}), answer, self._saved)
            actual = answer
        if found:
            raise AssertionError("\n  ".join(
                ["differs:", *found, f"the whole: {actual}"]))
        for name, path in step.get("save", {}).items():
            self._saved[name] = at(actual, path)
