// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Enters a room and says how many are there; leaves at Ctrl-C.
//
// usage: rooms.js [SERVER [USER [ROOM]]]
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

import { ask, connect } from './service.js';

// Opens a session in the room, in one step. A client that stays beats.
async function enter(client, user, session, room) {
  const { attachment } = await ask(client, 'SendSignal', {
    userId: user,
    sessionId: session,
    kind: 'SIGNAL_KIND_ACTIVE',
    open: { rooms: { roomIds: [room] } },
  });
  return attachment;
}

async function sayHowMany(client, room) {
  const { occupancy } = await ask(client, 'GetRoom', { roomId: room });
  const quarter = occupancy.windows.at(-1);
  console.log(
    `${occupancy.users} there now, ` +
      `at most ${quarter.peakUsers} in the last 15 minutes`,
  );
}

const [server = '127.0.0.1:7400', user = 'alice', room = 'lobby'] =
  process.argv.slice(2);
const client = connect(server);
const session = randomUUID();
const interrupted = once(process, 'SIGINT');
const waiting = setInterval(() => {}, 1 << 30); // Nothing else goes on.
const attachment = await enter(client, user, session, room);
await sayHowMany(client, room);
await interrupted;
clearInterval(waiting);
await ask(client, 'SendSignal', {
  userId: user,
  sessionId: session,
  attachment,
  kind: 'SIGNAL_KIND_LEAVE',
});
await sayHowMany(client, room);
client.close();
