// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Keeps a list of everyone who is there, and prints how it changes. When the
// link breaks it goes on from where it was: then only what has changed meanwhile
// is sent.
//
// usage: watch_all.js [SERVER]
import { setTimeout as sleep } from 'node:timers/promises';

import { connect, nameOf, status } from './service.js';

const HERE = ['PRESENCE_STATE_ACTIVE', 'PRESENCE_STATE_IDLE'];

const isHere = (state) => HERE.includes(state);
const say = (user, state) =>
  console.log(`${user} is ${isHere(state) ? nameOf(state) : 'not here'}`);

// Who is ACTIVE or IDLE, by the rules that every receiver keeps.
class Here {
  token = Buffer.alloc(0);
  records = new Map();
  synced = false;
  // By a snapshot that replaces what is held.
  mentioned = null;

  // A stream begins: without a token with a whole snapshot.
  begin() {
    this.synced = false;
    this.mentioned = this.token.length > 0 ? null : new Set();
  }

  // A message of the watch, in the order of its fields.
  take({ resync, snapshot, changes, synced, resumeToken }) {
    if (resync) this.mentioned = new Set();
    for (const record of [...snapshot, ...changes]) this.takeRecord(record);
    if (synced) {
      this.endSnapshot();
      this.synced = true;
    }
    // Before SYNCED something is missing.
    if (this.synced && resumeToken.length > 0) this.token = resumeToken;
  }

  takeRecord(record) {
    const { userId, state } = record;
    const held = this.records.get(userId);
    if (this.mentioned && !this.mentioned.has(userId)) {
      this.mentioned.add(userId);
    } else if (held && BigInt(record.revision) <= BigInt(held.revision)) {
      return;
    }
    if (isHere(state)) this.records.set(userId, record);
    else this.records.delete(userId);
    if (held?.state !== state && (held || isHere(state))) say(userId, state);
  }

  // Who was not mentioned is not here any more.
  endSnapshot() {
    if (!this.mentioned) return;
    for (const user of this.records.keys()) {
      if (this.mentioned.has(user)) continue;
      this.records.delete(user);
      say(user, 'PRESENCE_STATE_OFFLINE');
    }
    this.mentioned = null;
  }
}

const client = connect(process.argv[2] ?? '127.0.0.1:7400');
const here = new Here();
let failures = 0;
for (;;) {
  here.begin();
  const request = { all: {}, states: HERE, resumeToken: here.token };
  try {
    for await (const response of client.WatchPresence(request)) {
      here.take(response);
      failures = 0;
    }
  } catch (error) {
    if (error.code === status.INVALID_ARGUMENT) {
      console.error(`watch: ${error.details}`);
      process.exit(1);
    }
  }
  // Not all at once: thousands of others were cut off as well.
  failures += 1;
  await sleep(Math.random() * 1000 * Math.min(60, 2 ** failures));
}
