// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// A list of friends that grows and shrinks while it is watched. Each line of
// input adds a user ("bob") or removes one ("-bob").
//
// usage: follow.js [SERVER]
import { createInterface } from 'node:readline';

import { connect, nameOf } from './service.js';

const client = connect(process.argv[2] ?? '127.0.0.1:7400');
const stream = client.FollowPresence();
const newest = new Map();

stream.on('data', ({ snapshot, changes, refused, acked }) => {
  for (const { userId, state, revision } of [...snapshot, ...changes]) {
    if (BigInt(revision) <= (newest.get(userId) ?? -1n)) continue;
    newest.set(userId, BigInt(revision));
    console.log(`${userId} is ${nameOf(state)}`);
  }
  for (const { message, status } of refused) {
    console.error(`line ${message - 1}: ${status.message}`);
  }
  // From here on nothing is told of who was removed by then.
  if (acked > 1) console.log(`line ${acked - 1} is done`);
});
stream.on('error', ({ details }) => {
  console.error(`follow: ${details}`);
  process.exit(1);
});

// First what to watch, which is nobody; then who comes and who goes.
stream.write({ watch: { users: {} } });
createInterface({ input: process.stdin }).on('line', (line) => {
  const user = line.trim();
  if (user.startsWith('-')) {
    stream.write({ remove: { userIds: [user.slice(1)] } });
  } else if (user) {
    stream.write({ add: { userIds: [user] } });
  }
});
