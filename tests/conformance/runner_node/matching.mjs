// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// What scenarios say of values. tests/conformance/README.md has the rules.

const isObject = (value) =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const isAbsent = (value) =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (!isObject(value) && Number(value) === 0);

// Exact also for 64-bit integers.
const numberOf = (text) =>
  /^\d+$/.test(text) ? BigInt(text) : Number(text);

const show = (value) => JSON.stringify(value) ?? 'nothing';

// A request with "$name", "${x*128}" and "${x#128}" replaced by what they
// stand for.
export function resolved(value, saved) {
  if (Array.isArray(value)) {
    return value.map((element) => resolved(element, saved));
  }
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [
        key,
        resolved(member, saved),
      ]),
    );
  }
  if (typeof value === 'string' && value.startsWith('$')) {
    const repeated = /^\$\{(.)([*#])(\d+)\}$/su.exec(value);
    if (repeated) {
      const [, text, how, count] = repeated;
      if (how === '*') return text.repeat(Number(count));
      return Array.from({ length: Number(count) }, (_, i) => `${text}${i + 1}`);
    }
    return saved[value.slice(1)];
  }
  return value;
}

// What lies at "updates.0.opened.attachment" in `value`.
export function at(value, path) {
  return path.split('.').reduce((within, name) => within[name], value);
}

// A line for each place in which `actual` is not as `expected`.
export function differences(expected, actual, saved, path = 'it') {
  if (isObject(expected)) {
    if (!isObject(actual)) {
      return [`${path}: expected ${show(expected)}, was ${show(actual)}`];
    }
    return Object.entries(expected).flatMap(([key, member]) =>
      differences(member, actual[key], saved, `${path}.${key}`),
    );
  }
  if (Array.isArray(expected) && expected.length > 0) {
    if (!Array.isArray(actual) || actual.length !== expected.length) {
      return [
        `${path}: expected ${expected.length}: ${show(expected)}, ` +
          `was ${show(actual)}`,
      ];
    }
    return expected.flatMap((element, i) =>
      differences(element, actual[i], saved, `${path}.${i}`),
    );
  }
  if (scalarMatches(expected, actual, saved)) return [];
  const meant = saved[String(expected).replace(/^[<>]?\$/, '')];
  const note = meant === undefined ? '' : ` (that is ${meant})`;
  return [`${path}: expected ${show(expected)}${note}, was ${show(actual)}`];
}

function scalarMatches(expected, actual, saved) {
  if (expected === '$any') return !isAbsent(actual);
  if (isAbsent(expected)) return isAbsent(actual);
  if (actual === undefined || typeof actual === 'object') return false;
  const ordered = /^([<>])(.+)$/s.exec(expected);
  if (ordered) {
    const limit = numberOf(resolved(ordered[2], saved));
    return ordered[1] === '<'
      ? numberOf(actual) < limit
      : numberOf(actual) > limit;
  }
  if (typeof expected === 'string' && expected.startsWith('$')) {
    return actual === resolved(expected, saved);
  }
  // 64-bit integers are strings in JSON.
  if (typeof expected === 'number') return Number(actual) === expected;
  return actual === expected;
}
