// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Says how many are online and who they are, then waits for one of some users.
//
// usage: asking.js [SERVER [USER…]]
import { ask, connect, nameOf } from './service.js';

const WAIT_SECONDS = 60;

// Who is online, page after page. A page may be empty and not the last.
async function* everybody(client) {
  let pageToken;
  do {
    const request = { pageSize: 500, pageToken };
    const page = await ask(client, 'ListPresences', request);
    yield* page.presences;
    pageToken = page.nextPageToken;
  } while (pageToken.length > 0);
}

// Who of them came to be active; nobody if the wait was over before.
async function waitForOneOf(client, users) {
  const { results } = await ask(
    client,
    'AwaitPresence',
    {
      predicates: [
        { users: { userIds: users }, atLeast: 'PRESENCE_STATE_ACTIVE' },
      ],
      wait: { seconds: WAIT_SECONDS },
    },
    { deadline: Date.now() + (WAIT_SECONDS + 5) * 1000 },
  );
  return results[0].userIds;
}

const [server = '127.0.0.1:7400', ...users] = process.argv.slice(2);
const client = connect(server);
const counts = await ask(client, 'CountPresences', {});
console.log(`${counts.users} online, on ${counts.sessions} sessions`);
for await (const { userId, state } of everybody(client)) {
  console.log(`${userId} is ${nameOf(state)}`);
}
if (users.length > 0) {
  const here = await waitForOneOf(client, users);
  console.log(`here: ${here.join(', ') || 'nobody'}`);
}
client.close();
