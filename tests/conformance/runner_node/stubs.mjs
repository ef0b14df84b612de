// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What @grpc/proto-loader makes of proto/, with the packages that
// client/node/package-lock.json pins.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);
const require = createRequire(new URL('client/node/package.json', root));

export const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

// By full name: every message and enum, and the service's methods.
export const definitions = protoLoader.loadSync(
  ['lifesign/v1/presence_service.proto', 'google/rpc/error_details.proto'],
  {
    includeDirs: [fileURLToPath(new URL('proto/', root))],
    keepCase: true,
    longs: String,
    enums: String,
    bytes: String,
    defaults: false,
  },
);

export const methods = definitions['lifesign.v1.PresenceService'];
export const { PresenceService } =
  grpc.loadPackageDefinition(definitions).lifesign.v1;
