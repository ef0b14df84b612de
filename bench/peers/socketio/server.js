// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Presence in a Socket.IO server, as its documentation puts it together: who is
// here is kept in the process and told to a room as it changes.
//
// usage: node server.js PORT
"use strict";

const { createServer } = require("node:http");
const { Server } = require("socket.io");

const SILENCE_MS = 240_000; // as Lifesign's ttl and the keys' of Redis and NATS
const SWEEP_MS = 1_000;

const httpServer = createServer();
const io = new Server(httpServer, {
  serveClient: false,
  // "How it works", transports: clients that name websocket alone skip the
  // long-polling handshake. Compression of messages is off by default.
  transports: ["websocket"],
});

// "Memory usage": the first HTTP request of a connection need not be kept.
io.engine.on("connection", (rawSocket) => {
  rawSocket.request = null;
});

const people = new Map(); // user → { state, heardAt, sockets }

function tell(user, state) {
  io.to("watchers").emit("presence", user, state);
}

// "Private messaging, part II": a user is gone when the last socket is.
function leave(user, socket) {
  const person = people.get(user);
  if (!person?.sockets.delete(socket.id) || person.sockets.size > 0) return;
  people.delete(user);
  tell(user, "offline");
}

io.on("connection", (socket) => {
  const { user, watch } = socket.handshake.auth;
  if (watch) {
    socket.join("watchers");
    return;
  }
  let person = people.get(user);
  if (!person) {
    person = { state: "active", heardAt: 0, sockets: new Set() };
    people.set(user, person);
    tell(user, person.state);
  }
  person.heardAt = Date.now();
  person.sockets.add(socket.id);

  socket.on("heartbeat", (state) => {
    person.heardAt = Date.now();
    if (person.state === state) return;
    person.state = state;
    tell(user, state);
  });
  socket.on("disconnect", () => leave(user, socket));
});

setInterval(() => {
  const silentSince = Date.now() - SILENCE_MS;
  for (const [user, person] of people) {
    if (person.heardAt > silentSince) continue;
    people.delete(user);
    tell(user, "offline");
  }
}, SWEEP_MS);

httpServer.listen(Number(process.argv[2]), "127.0.0.1");
