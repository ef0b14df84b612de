// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What the examples of the guides have in common: a client of the service, as
// proto-loader makes it of the proto files.
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

export const { status } = grpc;

export function connect(server) {
  return new PresenceService(server, grpc.credentials.createInsecure());
}

// The answer of a unary call: `await ask(client, 'GetRoom', { roomId })`.
export function ask(client, method, request, options = {}) {
  return new Promise((resolve, reject) => {
    client[method](request, options, (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

// "PRESENCE_STATE_IDLE" without what all states begin with.
export function nameOf(state) {
  return state.replace('PRESENCE_STATE_', '');
}
