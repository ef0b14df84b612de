# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""The servers that are measured: how each is configured, started and stopped.

Each stands for itself on ports of 127.0.0.1 that it is given, holds everything
in memory, and is configured as its own documentation advises; the page is named
beside what it advises.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
GO_BINARIES = HERE.parent.parent / ".cache" / "peers" / "bin"
START_SECONDS = 30
STOP_SECONDS = 10


class Unavailable(Exception):
    """The server is not on this machine; the text says why."""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout


def children_of(pid):
    """pid and all that descend from it, as they are now."""
    family = [pid]
    for parent in family:
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            family += map(int, task.read_text().split())
    return family


class Server:
    """One server process and its children, from start to stop.

    A subclass says its command; `prepare` writes configuration before, and
    `populate` does, once it listens, what an operator would.
    """

    name = ""
    # Whether its heartbeats are measured with sessions that have a connection
    # each, and with sessions that share those of an application's servers.
    own = False
    shared = False
    # Which heartbeats it answers: "every" one, by choice "sparse" ones or
    # "none". The cheapest comes last.
    answers = ("every",)
    # One answer for all heartbeats of a batch, where others answer each.
    answers_batches = False

    def __init__(self, build, folder, interval):
        self.build = build
        self.folder = folder
        self.interval = interval  # seconds between a session's heartbeats
        self.port = free_port()
        self.process = None

    def version(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def prepare(self):
        pass

    def populate(self, sessions, watchers):
        pass

    def start(self, sessions, watchers):
        self.prepare()
        with open(self.folder / f"{self.name}.log", "wb") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **self.environment()})
        self.wait_until_it_listens(self.port)
        self.populate(sessions, watchers)

    def wait_until_it_listens(self, port):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        log = (self.folder / f"{self.name}.log").read_text(errors="replace")
        raise RuntimeError(f"{self.name} does not listen: {log[-2000:]}")

    def pids(self):
        return children_of(self.process.pid)

    def stop(self):
        if self.process is None:
            return
        family = self.pids()
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in family[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process = None


class Lifesign(Server):
    name = "lifesign"
    own = shared = True
    answers = ("every", "sparse")
    answers_batches = True

    def binary(self):
        path = self.build / "server" / "lifesignd"
        if not path.exists():
            raise Unavailable(f"{path} is not built")
        return path

    def version(self):
        return re.search(r"[\d.]+", output_of(self.binary(), "--version"))[0]

    # Every default as it is; only the port is chosen.
    def command(self):
        return [self.binary(), f"--server.listen_address=127.0.0.1:{self.port}"]


class Redis(Server):
    name = "redis"
    shared = True
    answers = ("every", "none")  # "CLIENT REPLY"

    def version(self):
        if not shutil.which("redis-server"):
            raise Unavailable("redis-server is not installed")
        return re.search(r"v=([\d.]+)",
                         output_of("redis-server", "--version"))[1]

    # "Redis persistence": save "" and appendonly no turn it off.
    # "Redis keyspace notifications": Ex tells keys that expire, and only those;
    # every other class would tell each heartbeat and cost more.
    def command(self):
        return ["redis-server", "--bind", "127.0.0.1", "--port",
                str(self.port), "--save", "", "--appendonly", "no",
                "--notify-keyspace-events", "Ex", "--dir", str(self.folder)]


class SocketIo(Server):
    name = "socketio"
    own = True
    answers = ("none",)  # an event without acknowledgement

    def version(self):
        package = HERE / "socketio/node_modules/socket.io/package.json"
        if not shutil.which("node") or not package.exists():
            raise Unavailable("socket.io is not installed")
        return json.loads(package.read_text())["version"]

    # What it does stands in server.js. Node's documentation and Socket.IO's
    # "Performance tuning" ask for no flag at this size.
    def environment(self):
        return {"NODE_ENV": "production"}

    def command(self):
        return ["node", HERE / "socketio" / "server.js", str(self.port)]


class Nats(Server):
    name = "nats"
    shared = True
    answers = ("every", "none")  # a put that does not wait to be stored

    def binary(self):
        path = GO_BINARIES / "nats-server"
        if not path.exists():
            raise Unavailable("nats-server is not installed")
        return path

    def version(self):
        return re.search(r"v([\d.]+)", output_of(self.binary(), "--version"))[1]

    # "JetStream configuration". The bucket itself is in memory (the load
    # creates it); the store folder holds only what the server says of itself.
    def command(self):
        return [self.binary(), "--addr", "127.0.0.1", "--port", str(self.port),
                "--jetstream", "--store_dir", str(self.folder / "jetstream")]

    def prepare(self):
        shutil.rmtree(self.folder / "jetstream", ignore_errors=True)


class Centrifugo(Server):
    name = "centrifugo"
    own = True
    answers = ("none",)  # the heartbeat is itself an answer

    def binary(self):
        path = GO_BINARIES / "centrifugo"
        if not path.exists():
            raise Unavailable("centrifugo is not installed")
        return path

    # A binary that `go install` made says v0.0.0 of itself.
    def version(self):
        self.binary()
        stamp = GO_BINARIES / ".centrifugo.version"
        return stamp.read_text().strip().rpartition("@v")[2]

    def prepare(self):
        heartbeat = round(self.interval * 1000)
        config = {
            "http_server": {"address": "127.0.0.1", "port": str(self.port)},
            "log": {"level": "error"},
            "usage_stats": {"disabled": True},
            "client": {
                # "Client authentication", "User ID HTTP header": users without
                # tokens, which would cost more.
                "user_id_http_header": "X-User-Id",
                # "Configure", ping pong: the heartbeat of Centrifugo. How often
                # the presence entry itself is renewed stays at its 27 s.
                "ping_interval": f"{heartbeat}ms",
                "pong_timeout": f"{heartbeat // 2}ms",
            },
            # "WebSocket": less memory per connection.
            "websocket": {"use_write_buffer_pool": True,
                          "read_buffer_size": 512},
            # "Online presence": presence, and joins and leaves for those
            # subscribers that ask for them. In memory, as the engine is unless
            # told otherwise.
            "channel": {"namespaces": [{
                "name": "presence", "presence": True, "join_leave": True,
                "allow_subscribe_for_client": True,
                "allow_presence_for_subscriber": True}]},
        }
        (self.folder / "centrifugo.json").write_text(json.dumps(config))

    def command(self):
        return [self.binary(), "--config", self.folder / "centrifugo.json"]


class Ejabberd(Server):
    name = "ejabberd"
    own = True

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.api_port = free_port()

    def version(self):
        if not shutil.which("ejabberdctl"):
            raise Unavailable("ejabberd is not installed")
        listing = output_of("dpkg-query", "--show", "--showformat=${Version}",
                            "ejabberd")
        return listing.partition("-")[0]

    # "Listen Modules", "Authentication: internal", mod_stream_mgmt with its defaults (a broken stream may
    # be resumed within 5 minutes), mod_shared_roster for who sees whom. Of
    # the 5 connections that may wait by default, a storm would lose most.
    def prepare(self):
        shutil.rmtree(self.folder / "ejabberd", ignore_errors=True)
        (self.folder / "ejabberd").mkdir()
        (self.folder / "ejabberd.yml").write_text(f"""\
hosts: [localhost]
loglevel: warning
auth_method: [internal]
listen:
  - port: {self.port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    access: all
    backlog: 1024
  - port: {self.api_port}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers: {{/api: mod_http_api}}
api_permissions:
  everything:
    from: [mod_http_api]
    who: {{access: {{allow: {{ip: 127.0.0.1/32}}}}}}
    what: "*"
modules:
  mod_admin_extra: {{}}
  mod_http_api: {{}}
  mod_ping: {{}}
  mod_roster: {{}}
  mod_shared_roster: {{}}
  mod_stream_mgmt: {{}}
""")

    # As ejabberdctl starts it, without distribution: no epmd, which would
    # outlive us. "+K true" and "+P" are its defaults. "erl", flag +sbwt:
    # schedulers that wait busily would be charged CPU for nothing.
    def command(self):
        log = self.folder / "ejabberd" / "ejabberd.log"
        return ["erl", "+K", "true", "+P", "250000", "+sbwt", "none",
                "+sbwtdcpu", "none", "+sbwtdio", "none", "-noinput",
                "-mnesia", "dir", f'"{self.folder}/ejabberd"',
                "-ejabberd", "log_path", f'"{log}"', "-s", "ejabberd"]

    def environment(self):
        return {"EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
                "EJABBERD_LOG_PATH": str(self.folder / "ejabberd" / "log"),
                "ERL_LIBS": "/usr/lib/x86_64-linux-gnu", "ERL_CRASH_DUMP": "",
                "ERL_CRASH_DUMP_BYTES": "0"}

    def api(self, name, **arguments):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api_port}/api/{name}",
            json.dumps(arguments).encode(),
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
            return answer.read()

    # Two groups of a shared roster, each displayed to the other: watchers are
    # told of sessions, sessions not of each other.
    def populate(self, sessions, watchers):
        self.wait_until_it_listens(self.api_port)
        members = {"sessions": [f"u{i:07}" for i in range(sessions)],
                   "watchers": [f"w{i}" for i in range(watchers)]}
        for group, other in ("sessions", "watchers"), ("watchers", "sessions"):
            self.api("srg_create", group=group, host="localhost", label=group,
                     description=group, display=other)
        for group in members:
            for user in members[group]:
                self.api("register", user=user, host="localhost",
                         password="pw")
                self.api("srg_user_add", user=user, host="localhost",
                         group=group, grouphost="localhost")


ALL = (Lifesign, Redis, SocketIo, Nats, Centrifugo, Ejabberd)
