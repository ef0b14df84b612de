// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Does what a scenario says, step by step, with what proto-loader made.
import { ofMessage, ofRpcError, toMessage } from './plain.mjs';
import { at, differences, resolved } from './matching.mjs';
import { grpc, methods, PresenceService } from './stubs.mjs';

// Real milliseconds after which a call, or a wait, has failed. Nothing waits so
// long unless the server does not answer.
const PATIENCE = 30_000;

// An acknowledgement comes after what it acknowledges.
const PARTS_OF_WATCH = [
  'created',
  'resync',
  'snapshot',
  'changes',
  'synced',
  'progress',
  'occupancy',
  'intents',
  'refused',
  'acked',
];

const typed = (name) => `lifesign.v1.${name}`;
const options = () => ({ deadline: Date.now() + PATIENCE });
const raw = (bytes) => bytes;

// What a call is answered, to be taken one after another.
class Answers {
  constructor(call, typeName) {
    this.call = call;
    this.arrived = [];
    this.wake = () => {};
    const arrive = (item) => {
      this.arrived.push(item);
      this.wake();
    };
    call.on('data', (message) =>
      arrive({ message: ofMessage(typed(typeName), message) }),
    );
    // Every end has a status, which comes last; an error says the same.
    call.on('status', (status) => setImmediate(arrive, { status }));
    call.on('error', () => {});
  }

  // The next message; null at an end with OK; throws at any other end.
  async next() {
    while (this.arrived.length === 0) {
      await new Promise((resolve) => {
        this.wake = resolve;
      });
    }
    const { message, status } = this.arrived.shift();
    if (message) return message;
    if (status.code === grpc.status.OK) return null;
    throw Object.assign(new Error(status.details), status);
  }
}

// A watch whose responses are taken apart: see PARTS_OF_WATCH.
class Watch extends Answers {
  token = '';
  parts = [];

  // [name, content] of what came next.
  async nextPart() {
    while (this.parts.length === 0) {
      const response = await this.next();
      if (!response) throw new Error('the watch ended with OK');
      this.token = response.resume_token ?? this.token;
      for (const name of PARTS_OF_WATCH) {
        const content = response[name];
        if (content === undefined) continue;
        this.parts.push(...[content].flat().map((part) => [name, part]));
      }
    }
    return this.parts.shift();
  }
}

// A watch whose users are changed step by step.
class Follow extends Watch {}

// Thrown for what differs; its text is all that a reader needs.
export class Differs extends Error {}

const VERBS = [
  'advance',
  'drain',
  'restart',
  'stream',
  'send',
  'told',
  'close',
  'cancel',
  'ended',
  'call',
  'awaiting',
  'awaited',
  'watch',
  'follow',
  'watched',
];

export class Interpreter {
  constructor(server) {
    this.server = server;
    this.saved = {};
    this.connect();
  }

  connect() {
    this.client = new PresenceService(
      this.server.address,
      grpc.credentials.createInsecure(),
    );
    this.streams = new Map();
  }

  stop() {
    for (const { call } of this.streams.values()) call.cancel();
    this.client.close();
  }

  async do(step) {
    const verb = VERBS.find((candidate) => candidate in step);
    if (!verb) throw new Error('no such step');
    await this[verb](step);
  }

  // --- The steps, by their verbs ---

  async advance(step) {
    await this.server.tell(`advance ${step.advance}`);
  }

  async drain(step) {
    await this.server.tell(`drain ${step.drain}`);
  }

  async restart() {
    this.stop();
    await this.server.restart();
    this.connect();
  }

  stream(step) {
    const { path, responseDeserialize } = methods.Heartbeat;
    const call = step.raw
      ? this.client.makeBidiStreamRequest(
          path,
          raw,
          responseDeserialize,
          new grpc.Metadata(),
          options(),
        )
      : this.client.Heartbeat(options());
    const stream = new Answers(call, 'HeartbeatResponse');
    stream.raw = Boolean(step.raw);
    this.streams.set(step.stream, stream);
  }

  async send(step) {
    const stream = this.streams.get(step.send);
    if (stream instanceof Follow) {
      stream.call.write(
        toMessage(
          typed('FollowPresenceRequest'),
          resolved(step.message, this.saved),
        ),
      );
      if (!step.answer) return;
      await this.readUntil(stream, step, 'acked', step.answer);
      return;
    }
    if (step.bytes === undefined) {
      const message = toMessage(
        typed('HeartbeatRequest'),
        resolved(step.message, this.saved),
      );
      stream.call.write(
        stream.raw ? methods.Heartbeat.requestSerialize(message) : message,
      );
    } else {
      stream.call.write(Buffer.from(step.bytes, 'hex'));
    }
    if (step.answer) this.compare(step, { answer: await stream.next() });
  }

  async told(step) {
    this.compare(step, { answer: await this.streams.get(step.told).next() });
  }

  async close(step) {
    const stream = this.take(step.close);
    stream.call.end();
    while (await stream.next());
  }

  cancel(step) {
    this.take(step.cancel).call.cancel();
  }

  async ended(step) {
    const stream = this.take(step.ended);
    let next = await outcome(stream.next());
    while (next.answer?.progress && !next.answer.changes?.length) {
      next = await outcome(stream.next());
    }
    this.compare(step, next);
  }

  async call(step) {
    const giveUpAt = Date.now() + PATIENCE;
    for (;;) {
      const result = await outcome(this.unary(step));
      if (!step.eventually) {
        this.compare(step, result);
        return;
      }
      const expected = { ...step, answer: step.eventually };
      if (Date.now() > giveUpAt) return this.compare(expected, result);
      const { answer = {} } = result;
      if (differences(step.eventually, answer, this.saved).length === 0) return;
    }
  }

  async awaiting(step) {
    const request = toMessage(
      typed('AwaitPresenceRequest'),
      resolved(step.request, this.saved),
    );
    const stream = {};
    stream.result = outcome(
      new Promise((resolve, reject) => {
        stream.call = this.client.AwaitPresence(
          request,
          options(),
          (error, answer) =>
            error
              ? reject(error)
              : resolve(ofMessage(typed('AwaitPresenceResponse'), answer)),
        );
      }),
    );
    this.streams.set(step.awaiting, stream);
    await this.server.tell(`awaits ${step.awaits ?? 1}`);
  }

  async awaited(step) {
    this.compare(step, await this.take(step.awaited).result);
  }

  async watch(step) {
    const request = toMessage(
      typed('WatchPresenceRequest'),
      resolved(step.request, this.saved),
    );
    const call = this.client.WatchPresence(request, options());
    const watch = new Watch(call, 'WatchPresenceResponse');
    await this.begun(watch, step.watch, step, 'synced');
  }

  async follow(step) {
    const request = toMessage(typed('FollowPresenceRequest'), {
      watch: resolved(step.request, this.saved),
    });
    const call = this.client.FollowPresence(options());
    const follow = new Follow(call, 'WatchPresenceResponse');
    call.write(request);
    await this.begun(follow, step.follow, step, 'acked');
  }

  async watched(step) {
    const watch = this.streams.get(step.watched);
    if (step.changes) {
      await this.readChanges(watch, step);
    } else if (step.progress) {
      const expected = { changes: [], progress: step.progress };
      await this.readUntil(watch, step, 'progress', expected);
    } else {
      await this.readUntil(watch, step, step.until, step.answer);
    }
  }

  // --- What they are made of ---

  take(name) {
    const stream = this.streams.get(name);
    this.streams.delete(name);
    return stream;
  }

  // `watch`, which is complete with the part called `last`.
  async begun(watch, name, step, last) {
    this.streams.set(name, watch);
    if (step.answer) {
      await this.readUntil(watch, step, last, step.answer);
    } else if (step.error) {
      await this.ended({ ended: name, error: step.error });
    }
  }

  unary(step) {
    const method = methods[step.call];
    const bytes =
      step.bytes === undefined
        ? method.requestSerialize(
            toMessage(
              typed(`${step.call}Request`),
              resolved(step.request, this.saved),
            ),
          )
        : Buffer.from(step.bytes, 'hex');
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        method.path,
        raw,
        method.responseDeserialize,
        bytes,
        new grpc.Metadata(),
        options(),
        (error, answer) =>
          error
            ? reject(error)
            : resolve(ofMessage(typed(`${step.call}Response`), answer)),
      );
    });
  }

  // Everything up to and including the part called `last`.
  async readUntil(watch, step, last, expected) {
    const read = { snapshot: [], changes: [], refused: [] };
    let name;
    while (name !== last) {
      let content;
      [name, content] = await watch.nextPart();
      if (Array.isArray(read[name])) read[name].push(content);
      else read[name] = content;
    }
    // Which of the users comes first is the server's choice.
    read.snapshot.sort(byUser);
    read.resume_token = watch.token;
    this.compare({ ...step, answer: expected }, { answer: read });
  }

  // As many changes as are expected; progress may come between them.
  async readChanges(watch, step) {
    const read = [];
    while (read.length < step.changes.length) {
      const [name, content] = await watch.nextPart();
      if (name !== 'progress') read.push(content);
    }
    read.sort(byUser);
    const answer = { changes: read, resume_token: watch.token };
    this.compare({ ...step, answer: { changes: step.changes } }, { answer });
  }

  compare(step, { answer, error }) {
    const said = error ? ofRpcError(error) : answer;
    if (Boolean(error) !== Boolean(step.error)) {
      const what = error ? 'failed with' : 'was answered';
      throw new Differs(`${what} ${JSON.stringify(said)}`);
    }
    const expected = step.error ?? step.answer ?? {};
    const found = differences(expected, said, this.saved);
    if (found.length > 0) {
      throw new Differs(
        ['differs:', ...found, `the whole: ${JSON.stringify(said)}`].join(
          '\n  ',
        ),
      );
    }
    for (const [name, path] of Object.entries(step.save ?? {})) {
      this.saved[name] = at(said, path);
    }
  }
}

function byUser(one, other) {
  if (one.user_id === other.user_id) return 0;
  return one.user_id < other.user_id ? -1 : 1;
}

async function outcome(promise) {
  try {
    return { answer: await promise };
  } catch (error) {
    if (typeof error.code !== 'number') throw error;
    return { error };
  }
}
