# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""A conformance_server of one's own: a real server whose clock stands still."""

import os
import subprocess


class Server:
    """Runs until the block that it is used in ends."""

    def __init__(self, *arguments):
        self._process = subprocess.Popen(
            [os.environ["LIFESIGN_CONFORMANCE_SERVER"], *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read_address()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # The server ends when nobody can tell it anything any more.
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def tell(self, command):
        """One line, for example "advance 15s"; returns when that is done."""
        print(command, file=self._process.stdin, flush=True)
        self._answer("ok")

    def restart(self):
        """A new run, which has another address."""
        print("restart", file=self._process.stdin, flush=True)
        self._read_address()

    def _read_address(self):
        self.address = f"127.0.0.1:{self._answer('port')}"

    def _answer(self, word):
        line = self._process.stdout.readline().split()
        if line[:1] != [word]:
            raise RuntimeError(f"conformance_server said {line}, not {word}")
        return " ".join(line[1:])
