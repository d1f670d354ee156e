/**
 * The load process: backends and clients on one ring, with orders as lines of JSON on its standard
 * input. It blocks while it measures; the benchmark pins it to the core beside the proxy's.
 */
import { createInterface } from 'node:readline';
import { freePort } from '../../test/support/places.js';
import { Backend } from './backend.js';
import { Clients } from './clients.js';
import { LoadLoop } from './loop.js';
import { measure } from './measure.js';
import type { Answer, Command } from './protocol.js';

/** Backends of each proxy's pool. */
const BACKENDS = 4;

const loop = new LoadLoop();
const backend = new Backend(loop, BACKENDS, await freePort());
const load = { loop, backend, clients: new Clients(loop) };
loop.ring.submit();
answer({
  kind: 'ready',
  ready: {
    tcpPorts: backend.tcpPorts,
    udpPort: backend.udpPort,
    anywherePort: backend.anywherePort,
  },
});
for await (const line of createInterface({ input: process.stdin })) {
  answer(perform(JSON.parse(line) as Command));
}

function perform(command: Command): Answer {
  const { id } = command;
  try {
    return { kind: 'measured', id, measured: measure(load, command) };
  } catch (error) {
    return { kind: 'failed', id, sentence: error instanceof Error ? error.message : String(error) };
  }
}

function answer(value: Answer): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
