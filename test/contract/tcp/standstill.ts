/**
 * TCP contract: a source that resets is forgotten although its target takes nothing. Nobody reads
 * such a direction, so whoever hears first of the reset (a watch, a send or a splice the other way)
 * has to tell the one that waits for it.
 */
import type { Test } from 'tap';
import { LINGER_MS, STANDSTILL_MS } from '../../../src/session/tcp_port.js';
import type { Peer } from '../../support/peer.js';
import { type Bench, type MakeEngine, settled, turn, withEngine } from './bench.js';

/** More than the kernel takes for a peer that does not read. */
const STREAM_BYTES = 16 * 1024 * 1024;
const BULK_BYTES = 2 * 1024 * 1024;
/** The reset comes so many turns behind what is sent the other way, or fewer. */
const TURNS = 6;
const STEP_MS = 50;

const SIDES = ['client', 'backend'] as const;
type Side = (typeof SIDES)[number];

/** What goes to the source that is about to reset. */
const OTHER_WAY = {
  nothing: () => {},
  'a message': (target: Peer) => target.send('a message'),
  'bulk data': (target: Peer) => target.send(Buffer.alloc(BULK_BYTES, 'bulk')),
} as const;

type Stream = Readonly<Record<'source' | 'target', Peer>>;

export function standstillContract(t: Test, make: MakeEngine): void {
  for (const side of SIDES) {
    for (const [what, say] of Object.entries(OTHER_WAY)) {
      const name = `a ${side} that resets while it stands still and is sent ${what} is forgotten`;
      withEngine(t, make, name, async (bench, t) => {
        for (let turns = 0; turns <= TURNS; turns++) {
          const { source, target } = await standsStill(bench, side);
          say(target);
          for (let n = 0; n < turns; n++) await turn();
          source.reset();
        }
        t.same(
          await ends(bench, LINGER_MS + STANDSTILL_MS),
          Array.from({ length: TURNS + 1 }, () => ({ kind: 'reset', by: side })),
        );
      });
    }
  }
}

/** A pair whose `side` sends without end to one that does not read. */
async function standsStill(bench: Bench, side: Side): Promise<Stream> {
  const { client, backend } = await bench.relayed();
  const [source, target] = side === 'client' ? [client, backend] : [backend, client];
  target.socket.pause();
  const flow = source.pour(Buffer.alloc(STREAM_BYTES, 'abc'));
  await settled(() => flow.takenBytes, 100);
  return { source, target };
}

/** How all pairs end within `limitMs` of the engine's clock; undefined: some have not. */
async function ends({ driver, under }: Bench, limitMs: number) {
  for (let passedMs = 0; passedMs <= limitMs && driver.openPairs > 0; passedMs += STEP_MS) {
    await settled(() => driver.edges.length, 300);
    await under.pass(STEP_MS);
  }
  await settled(() => driver.edges.length, 300);
  const told = driver.edges.flatMap(({ end }) => end ?? []);
  return driver.openPairs === 0 ? told : [...told, undefined];
}
