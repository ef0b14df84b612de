// SPDX-FileCopyrightText: The Lifesign Authors
// SPDX-License-Identifier: Apache-2.0

// The shared scenarios, each a test, against grpc-js.
//
// usage: run_scenarios.mjs [TEXT_IN_THE_NAME]
//
// LIFESIGN_CONFORMANCE_SERVER names the server's binary.
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';

import { Differs, Interpreter } from './interpreter.mjs';
import { Server } from './server.mjs';

const scenarios = new URL('../scenarios/', import.meta.url);
const wanted = process.argv[2] ?? '';

async function play({ name, says, steps }) {
  const server = await Server.start();
  const interpreter = new Interpreter(server);
  try {
    for (const [i, step] of steps.entries()) {
      try {
        await interpreter.do(step);
      } catch (error) {
        const told = error instanceof Differs ? error.message : error.stack;
        throw new Error(
          `${name}\n(${says})\nstep ${i + 1}: ${JSON.stringify(step)}\n${told}`,
        );
      }
    }
  } finally {
    interpreter.stop();
    await server.stop();
  }
}

for (const file of readdirSync(scenarios).sort()) {
  if (!file.endsWith('.json')) continue;
  const list = JSON.parse(readFileSync(new URL(file, scenarios), 'utf8'));
  for (const scenario of list) {
    const name = `${basename(file, '.json')}: ${scenario.name}`;
    if (name.includes(wanted)) test(name, () => play(scenario));
  }
}
