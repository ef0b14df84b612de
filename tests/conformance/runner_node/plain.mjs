// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// Messages and errors as the plain values that scenarios speak of, and back.
import assert from 'node:assert/strict';

import { definitions, grpc } from './stubs.mjs';

// Where the server's wall clock starts: "@0s".
const START_SECONDS = Date.UTC(2026, 0, 1) / 1000;
const DOMAIN = 'presence.lifesign.dev';
// What tells of an error within a stream, in its `status`.
const ERRORS = new Set([
  'lifesign.v1.HeartbeatError',
  'lifesign.v1.FollowRefusal',
]);

// The type of `field`, which names types of its own package without it.
function typeOf(field) {
  return field.typeName.includes('.')
    ? field.typeName
    : `lifesign.v1.${field.typeName}`;
}

// `convert` of each field of `value` that is set, one by one if repeated.
// proto-loader skips what it does not know; a misspelt field must not pass.
function eachField(typeName, value, convert) {
  const fields = definitions[typeName].type.field;
  const converted = {};
  for (const [name, content] of Object.entries(value)) {
    const field = fields.find((candidate) => candidate.name === name);
    assert.ok(field, `${typeName} has no field ${name}`);
    converted[name] = Array.isArray(content)
      ? content.map((element) => convert(field, element))
      : convert(field, content);
  }
  return converted;
}

// Protobuf's JSON as what proto-loader serializes.
export function toMessage(typeName, value) {
  return eachField(typeName, value, (field, content) => {
    if (field.type === 'TYPE_ENUM') {
      const values = definitions[typeOf(field)].type.value;
      assert.ok(values.some(({ name }) => name === content), content);
      return content;
    }
    if (field.type !== 'TYPE_MESSAGE' || isMap(typeName, field)) return content;
    if (typeOf(field) === 'google.protobuf.Duration') {
      return durationOf(content);
    }
    return toMessage(typeOf(field), content);
  });
}

// What proto-loader parsed, as protobuf's JSON; times since the start; errors
// as `ofStatus` has them.
export function ofMessage(typeName, message) {
  const value = eachField(typeName, message, (field, content) => {
    if (field.type !== 'TYPE_MESSAGE' || isMap(typeName, field)) return content;
    switch (typeOf(field)) {
      case 'google.protobuf.Duration':
        return ofDuration(content);
      case 'google.protobuf.Timestamp':
        return ofTimestamp(content);
      case 'google.rpc.Status':
        return ofStatus(content);
      default:
        return ofMessage(typeOf(field), content);
    }
  });
  if (ERRORS.has(typeName)) {
    const { status, ...rest } = value;
    return { ...rest, ...status };
  }
  return value;
}

function isMap(typeName, field) {
  return definitions[typeName].type.nestedType.some(
    ({ name, options }) => name === field.typeName && options?.mapEntry,
  );
}

function durationOf(text) {
  const parts = /^(-?)(\d+)(?:\.(\d+))?s$/.exec(text);
  const [, sign, seconds, fraction = ''] = parts;
  const nanos = Number(fraction.padEnd(9, '0'));
  return { seconds: sign + seconds, nanos: sign ? -nanos : nanos };
}

// With 0, 3, 6 or 9 digits after the point, as protobuf's JSON has it.
function ofDuration({ seconds = '0', nanos = 0 }) {
  let fraction = String(nanos).padStart(9, '0');
  while (fraction.endsWith('000')) fraction = fraction.slice(0, -3);
  return `${seconds}${fraction && `.${fraction}`}s`;
}

function ofTimestamp({ seconds = '0', nanos = 0 }) {
  const micros = (Number(seconds) - START_SECONDS) * 1e6 + nanos / 1e3;
  return `@${micros / 1e6}s`;
}

// A google.rpc.Status: its code's name, and what its details say.
function ofStatus({ code, message, details = [] }) {
  const said = { code: grpc.status[code], message_given: Boolean(message) };
  let infos = 0;
  for (const { type_url: url, value } of details) {
    const typeName = url.slice(url.lastIndexOf('/') + 1);
    const bytes = Buffer.from(value, 'base64');
    const content = definitions[typeName].deserialize(bytes);
    switch (typeName) {
      case 'google.rpc.ErrorInfo':
        infos += 1;
        said.reason = content.reason;
        said.metadata = content.metadata;
        assert.equal(content.domain, DOMAIN);
        break;
      case 'google.rpc.RetryInfo':
        said.retry_delay = ofDuration(content.retry_delay);
        break;
      case 'google.rpc.QuotaFailure':
        said.quotas = content.violations.map(({ subject }) => subject);
        break;
      default:
        said.fields = content.field_violations.map(({ field }) => field);
    }
  }
  assert.equal(infos, 1, 'not exactly one ErrorInfo');
  return said;
}

// How a call ended; its details come in a trailer, as bytes.
export function ofRpcError(error) {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!bytes) return { code: grpc.status[error.code], text: error.details };
  const status = definitions['google.rpc.Status'].deserialize(bytes);
  assert.equal(status.code, error.code);
  return ofStatus(status);
}
