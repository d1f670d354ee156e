/**
 * TCP contract: what is thrown in any edge of a pair, behind the wall, ends that pair alone, in
 * whatever phase; the engine goes on as if the edge had returned.
 */
import type { Test } from 'tap';
import type { PairId } from '../../../src/core/brand.js';
import { TcpWall } from '../../../src/session/tcp/wall.js';
import { refusingEndpoint } from '../../support/peer.js';
import { type Bench, EARLY_BYTES, type MakeEngine, withEngine } from './bench.js';

const HEADER = 'HEADER';
/** In the order of a pair's life; each is reached by the life of every victim. */
const EDGES = ['earlyBytes', 'dialFailed', 'dialled', 'firstByte', 'heard', 'closed'] as const;
type Edge = (typeof EDGES)[number];
/** Before the defect, or after what the edge asks for was ordered. */
const MOMENTS = ['at once', 'after its order'] as const;

export function brokenContract(t: Test, make: MakeEngine): void {
  for (const edge of EDGES) {
    for (const moment of MOMENTS) {
      const defects: unknown[] = [];
      const walled: MakeEngine = (limits, edges, hooks) =>
        make(limits, new TcpWall(edges, (error) => defects.push(error)), hooks);
      const name = `a defect in ${edge}, ${moment}, ends that pair alone`;
      withEngine(t, walled, name, (bench, t) => contained(bench, t, edge, moment, defects));
    }
  }
}

async function contained(
  bench: Bench,
  t: Test,
  edge: Edge,
  moment: (typeof MOMENTS)[number],
  defects: readonly unknown[],
): Promise<void> {
  const { driver } = bench;
  const refusing = await refusingEndpoint();
  const broken: PairId[] = [];
  let victim: PairId | null = null;
  const around = (at: Edge, pair: PairId, order: () => void): void => {
    if (pair !== victim || at !== edge) return order();
    if (moment === 'after its order') order();
    throw new Error(`a defect in ${edge}`);
  };
  driver.answers = {
    accepted: (pair) => driver.engine.readEarly(pair, EARLY_BYTES),
    earlyBytes: (pair) =>
      around('earlyBytes', pair, () => {
        driver.engine.earlyDone(pair, HEADER.length);
        driver.engine.dial(pair, pair === victim ? refusing : bench.backend.endpoint, null);
      }),
    dialFailed: (pair) =>
      around('dialFailed', pair, () => driver.engine.dial(pair, bench.backend.endpoint, null)),
    dialled: (pair) =>
      around('dialled', pair, () => {
        driver.engine.overhear(pair);
        driver.engine.relay(pair);
      }),
    firstByte: (pair) => around('firstByte', pair, () => {}),
    heard: (pair) => around('heard', pair, () => driver.engine.overhearDone(pair)),
    closed: (pair) => around('closed', pair, () => {}),
    broken: (pair) => {
      broken.push(pair);
      driver.close(pair, 'reset');
    },
  };
  const other = await bench.connect();
  other.send(HEADER);
  const otherBackend = await bench.backend.next();
  await driver.nextPair();

  const client = await bench.connect();
  victim = await driver.nextPair();
  client.send(`${HEADER}first`);
  if (edge === 'firstByte' || edge === 'heard' || edge === 'closed') {
    const backend = await bench.backend.next();
    backend.send('answer');
    await driver.next('firstByte', victim);
    if (edge === 'closed') {
      backend.finish();
      client.finish();
    }
  }
  const { end } = await driver.next('closed', victim);
  t.equal(end?.kind, edge === 'closed' ? 'finished' : 'closed');
  t.same(broken, edge === 'closed' ? [] : [victim]);
  t.equal(defects.length, edge === 'closed' ? 1 : 0, 'a pair that is over is only reported');
  victim = null;

  other.send('still here');
  t.equal(String(await otherBackend.take(10)), 'still here', 'another pair goes on');
  const next = await bench.connect();
  next.finish(`${HEADER}whole`);
  t.equal(await reached(bench), 'whole', 'and the next one is served');
}

/** What the first client that is relayed to its end has sent; the victim may have come as well. */
async function reached(bench: Bench): Promise<string> {
  for (;;) {
    const backend = await bench.backend.next();
    const text = await backend.rest().then(String, () => '');
    if (text !== '' && text !== 'first') return text;
  }
}
