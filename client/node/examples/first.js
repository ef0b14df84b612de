// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Holds a session for one user, and prints how users change.
//
// usage: first.js [SERVER [USER [WATCHED…]]]
import { randomBytes, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const definition = protoLoader.loadSync('lifesign/v1/presence_service.proto', {
  includeDirs: [fileURLToPath(new URL('../../../proto/', import.meta.url))],
  defaults: true,
  enums: String,
  longs: String,
});
const { PresenceService } = grpc.loadPackageDefinition(definition).lifesign.v1;

// Opens a session, beats at the interval the server promised. Returns what
// leaves it.
function holdSession(client, user) {
  const stream = client.Heartbeat();
  let interval = 1000; // milliseconds, until the server has said one
  let timer;

  const beat = () => {
    stream.write({ signals: [{ handle: 1, kind: 'SIGNAL_KIND_ACTIVE' }] });
    schedule();
  };
  const schedule = () => {
    clearTimeout(timer);
    // 10 % either way: so that clients that started together do not stay so.
    timer = setTimeout(beat, interval * (0.9 + 0.2 * Math.random()));
  };

  stream.on('data', ({ updates, errors }) => {
    for (const { nextInterval } of updates) {
      interval = nextInterval.seconds * 1000 + nextInterval.nanos / 1e6;
      schedule();
    }
    for (const { status } of errors) {
      console.error(`session: ${status.message}`);
    }
  });
  stream.on('error', ({ details }) => console.error(`session: ${details}`));
  stream.on('close', () => clearTimeout(timer));

  stream.write({
    opens: [
      {
        handle: 1,
        userId: user,
        sessionId: randomUUID(),
        kind: 'SIGNAL_KIND_ACTIVE',
        options: {
          deviceClass: 'DEVICE_CLASS_BOT',
          instance: randomBytes(8).readBigUInt64LE().toString(),
        },
      },
    ],
  });
  schedule();

  return () => {
    clearTimeout(timer);
    stream.write({ signals: [{ handle: 1, kind: 'SIGNAL_KIND_LEAVE' }] });
    stream.end();
  };
}

// A snapshot first, then every change, until the watch is cancelled.
function printChanges(client, users) {
  const newest = new Map();
  const watch = client.WatchPresence({ users: { userIds: users } });
  watch.on('data', ({ snapshot, changes }) => {
    for (const { userId, state, revision } of [...snapshot, ...changes]) {
      if (BigInt(revision) <= (newest.get(userId) ?? -1n)) continue;
      newest.set(userId, BigInt(revision));
      console.log(`${userId} is ${state.replace('PRESENCE_STATE_', '')}`);
    }
  });
  watch.on('error', ({ code, details }) => {
    if (code === grpc.status.CANCELLED) return;
    console.error(`watch: ${details}`);
    process.exitCode = 1;
  });
  return watch;
}

const [server = '127.0.0.1:7400', user = 'alice', ...watched] =
  process.argv.slice(2);
const client = new PresenceService(server, grpc.credentials.createInsecure());
const leave = holdSession(client, user);
const watch = printChanges(client, watched.length > 0 ? watched : [user]);
process.once('SIGINT', () => {
  leave();
  watch.cancel();
});
