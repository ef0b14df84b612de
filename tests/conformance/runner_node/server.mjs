// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A conformance_server of one's own: a real server whose clock stands still.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export class Server {
  static async start(...args) {
    const server = new Server();
    server.process = spawn(process.env.LIFESIGN_CONFORMANCE_SERVER, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    server.exited = once(server.process, 'exit');
    server.lines = createInterface({ input: server.process.stdout })[
      Symbol.asyncIterator
    ]();
    await server.readAddress();
    return server;
  }

  // One line, for example "advance 15s"; resolves when that is done.
  async tell(command) {
    this.process.stdin.write(`${command}\n`);
    await this.answer('ok');
  }

  // A new run, which has another address.
  async restart() {
    this.process.stdin.write('restart\n');
    await this.readAddress();
  }

  // The server ends when nobody can tell it anything any more.
  async stop() {
    this.process.stdin.end();
    await this.exited;
  }

  async readAddress() {
    this.address = `127.0.0.1:${await this.answer('port')}`;
  }

  async answer(word) {
    const { value = '(nothing)' } = await this.lines.next();
    const [first, ...rest] = value.split(' ');
    if (first !== word) {
      throw new Error(`conformance_server said ${value}, not ${word}`);
    }
    return rest.join(' ');
  }
}
