# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""The programs that are measured, and those that measure."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

START_SECONDS = 20
MEASURE_SECONDS = 300


class Failure(Exception):
    """There is no number, and why."""


class Server:
    """A server that listens on a free port of 127.0.0.1."""

    def __init__(self, command, port_flag):
        self._files = tempfile.TemporaryDirectory(prefix="lifesign-bench-")
        port_file = pathlib.Path(self._files.name, "port")
        self._log = open(pathlib.Path(self._files.name, "log"), "w+b")
        self._process = subprocess.Popen(
            [*command, f"{port_flag}={port_file}"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        end = time.monotonic() + START_SECONDS
        while not port_file.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                self.close()
                raise Failure(f"{command[0]} does not start")
            time.sleep(0.01)
        self.target = f"127.0.0.1:{port_file.read_text().strip()}"
        self.pid = self._process.pid

    def close(self):
        """Ends the process; what it serves is cut."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._log.close()
        self._files.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Programs:
    """Those of one build."""

    def __init__(self, build):
        self._build = pathlib.Path(build)

    def _path(self, *parts):
        path = self._build.joinpath(*parts)
        if not os.access(path, os.X_OK):
            raise Failure(f"{path} is missing; ./dev build release makes it")
        return str(path)

    def product(self, *flags):
        """Starts the server as it is shipped, but for `flags`."""
        return Server([self._path("server", "lifesignd"),
                       "--server.listen_address=127.0.0.1:0", *flags],
                      "--server.port_file")

    def floor(self, name):
        """Starts one of the floors of bench/baseline."""
        return Server([self._path("bench", "baseline", "floor_server"),
                       f"--floor={name}"], "--port-file")

    def load(self, command, server, *, floor=False, **options):
        """Puts a load on `server`: a dictionary of what it took."""
        arguments = [command, "--target", server.target,
                     "--server-pid", str(server.pid)]
        return self.measure(("bench", "load", "bench_load"), *arguments,
                            **(options | ({"floor": True} if floor else {})))

    def measure(self, program, *arguments, **options):
        """Runs a measuring program; the dictionary that it prints last."""
        for name, value in options.items():
            flag = "--" + name.replace("_", "-")
            arguments += (flag,) if value is True else (flag, str(value))
        done = subprocess.run([self._path(*program), *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=MEASURE_SECONDS, check=False)
        if done.returncode != 0 or not done.stdout.strip():
            raise Failure(f"{program[-1]} {' '.join(arguments)}: "
                          f"{done.stderr.strip() or done.returncode}")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines[-1] if len(lines) == 1 else lines


@contextlib.contextmanager
def both(programs, floor, *flags):
    """A product and a floor, started together so that both are as warm."""
    with programs.floor(floor) as bare, programs.product(*flags) as product:
        yield bare, product
