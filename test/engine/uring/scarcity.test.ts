/** The TCP contract holds when the engine has next to nothing of what it can run out of. */
import t from 'tap';
import type { Sizes } from '../../../src/engine/uring/means.js';
import { firstBytesContract } from '../../contract/tcp/first_bytes.js';
import { headerContract } from '../../contract/tcp/header.js';
import { waitingContract } from '../../contract/tcp/waiting.js';
import { tcpEngineContract } from '../../contract/tcp_engine.js';
import { makerOf } from './harness.js';

t.setTimeout(240_000);

const PLENTY: Sizes = {
  entries: 64,
  completions: 256,
  buffers: 64,
  datagramBuffers: 8,
  small: 256,
  earlyBytes: 1_048_576,
  pipes: 4,
};

const SCARCE: Readonly<Record<string, Sizes>> = {
  'two submissions at a time': { ...PLENTY, entries: 2 },
  'four completions at a time': { ...PLENTY, entries: 4, completions: 4 },
  'two buffers': { ...PLENTY, buffers: 2 },
  'no pipe': { ...PLENTY, pipes: 0 },
};

for (const [what, sizes] of Object.entries(SCARCE)) {
  t.test(`with ${what}`, async (t) => {
    const module = new URL('./harness.js', import.meta.url);
    tcpEngineContract(t, makerOf({ sockets: 'bind', time: 'fake', sizes }), module);
  });
}

t.test('with no room for early bytes', async (t) => {
  const sizes = { ...PLENTY, earlyBytes: 0 };
  const make = makerOf({ sockets: 'bind', time: 'fake', sizes });
  for (const contract of [headerContract, waitingContract, firstBytesContract]) contract(t, make);
});
