/**
 * A program that uses up its descriptors, attempts a probe of each transport, and prints what came
 * out.
 */
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import type { ProbeSpec } from '../../../src/core/health_spec.js';
import { ask, line } from './ask.js';

const server = createServer((socket) => socket.resume().on('error', () => {}));
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address() as AddressInfo;
const specs: readonly ProbeSpec[] = [
  { kind: 'tcp' },
  { kind: 'dns', name: 'service.test', type: 'A', rcodes: ['NOERROR'] },
];

async function attemptAll(): Promise<void> {
  for (const spec of specs) console.log(line(await ask(spec, port)));
}

await attemptAll();
const held: number[] = [];
try {
  for (;;) held.push(openSync('/dev/null', 'r'));
} catch {
  await attemptAll();
}
for (const descriptor of held) closeSync(descriptor);
await attemptAll();
server.close();
