/**
 * TCP contract: calls on a pair that is over, of which the session cannot know yet. Several pairs
 * end in the same turn, and the `closed` of each makes the call on all the others.
 */
import type { Test } from 'tap';
import type { PairId } from '../../../src/core/brand.js';
import { LINGER_MS, type PairEnd } from '../../../src/session/tcp_port.js';
import type { Peer } from '../../support/peer.js';
import type { TcpDriver } from '../../support/tcp_driver.js';
import {
  type Bench,
  EARLY_BYTES,
  LISTENER,
  type MakeEngine,
  settled,
  withEngine,
} from './bench.js';

const PAIRS = 4;

type Call = (bench: Bench, pair: PairId) => void;

interface State {
  readonly calls: Readonly<Record<string, Call>>;
  /** Brings a pair that was accepted into the state. */
  readonly enter: (bench: Bench, pair: PairId) => void;
  /** What has happened when it is in it. */
  readonly reached: (driver: TcpDriver) => boolean;
}

const CLOSES: Readonly<Record<string, Call>> = {
  'close(flush)': ({ driver }, pair) => driver.close(pair, 'flush'),
  'close(reset)': ({ driver }, pair) => driver.close(pair, 'reset'),
};
const dial: Call = ({ driver, backend }, pair) => driver.engine.dial(pair, backend.endpoint, null);
/** A session that knows of its connection cancels no dial. */
const stillDialling =
  (call: Call): Call =>
  (bench, pair) => {
    const { edges } = bench.driver;
    if (!edges.some((edge) => edge.kind === 'dialled' && edge.pair === pair)) call(bench, pair);
  };
const accepted = (driver: TcpDriver): boolean => driver.count('accepted') === PAIRS;
const dialled = (driver: TcpDriver): boolean => driver.count('dialled') === PAIRS;

const STATES: Readonly<Record<string, State>> = {
  waits: {
    calls: {
      dial,
      readEarly: ({ driver }, pair) => driver.engine.readEarly(pair, EARLY_BYTES),
      ...CLOSES,
    },
    enter: () => {},
    reached: accepted,
  },
  'reads a header': {
    calls: {
      earlyDone: ({ driver }, pair) => driver.engine.earlyDone(pair, 0),
      'earlyDone and dial': (bench, pair) => {
        bench.driver.engine.earlyDone(pair, 0);
        dial(bench, pair);
      },
      ...CLOSES,
    },
    enter: ({ driver }, pair) => driver.engine.readEarly(pair, EARLY_BYTES),
    reached: accepted,
  },
  dials: {
    calls: {
      cancelDial: stillDialling(({ driver }, pair) => driver.engine.cancelDial(pair)),
      'cancelDial and dial': stillDialling((bench, pair) => {
        bench.driver.engine.cancelDial(pair);
        dial(bench, pair);
      }),
      ...CLOSES,
    },
    enter: dial,
    reached: accepted,
  },
  'is connected': {
    calls: { relay: ({ driver }, pair) => driver.engine.relay(pair), ...CLOSES },
    enter: dial,
    reached: dialled,
  },
  'is relayed': {
    calls: CLOSES,
    enter: (bench, pair) => {
      bench.driver.answers = {
        ...bench.driver.answers,
        dialled: (each) => bench.driver.engine.relay(each),
      };
      dial(bench, pair);
    },
    reached: dialled,
  },
};

/** How all pairs come to their end in the same moment. */
const WAYS: Readonly<Record<string, (bench: Bench, clients: readonly Peer[]) => Promise<void>>> = {
  'clients reset': async (_bench, clients) => {
    for (const client of clients) client.reset();
  },
  'it is closed by flush': async ({ driver }, clients) => {
    for (const pair of openOf(driver)) driver.close(pair, 'flush');
    for (const client of clients) client.finish();
  },
  'it is closed by reset': async ({ driver }) => {
    for (const pair of openOf(driver)) driver.close(pair, 'reset');
  },
};

export function overContract(t: Test, make: MakeEngine): void {
  for (const [state, { calls, enter, reached }] of Object.entries(STATES)) {
    for (const [way, end] of Object.entries(WAYS)) {
      for (const [name, call] of Object.entries(calls)) {
        const title = `${name} changes nothing on a pair that ${state} when ${way}`;
        withEngine(t, make, title, async (bench, t) => {
          const { driver } = bench;
          driver.answers = { accepted: (pair) => enter(bench, pair) };
          const clients = await Promise.all(Array.from({ length: PAIRS }, () => bench.connect()));
          await until(() => reached(driver));
          const called = new Set<PairId>();
          driver.answers = {
            ...driver.answers,
            closed: (pair, end) => {
              t.ok(isExpected(end, way), `${end.kind} when ${way}`);
              for (const other of openOf(driver)) {
                if (other === pair || called.has(other)) continue;
                called.add(other);
                call(bench, other);
              }
            },
          };
          await end(bench, clients);
          await allClosed(bench);
          t.equal(called.size, PAIRS - 1);
          t.equal(driver.count('closed'), PAIRS);
          await serves(bench, t);
        });
      }
    }
  }
}

function openOf(driver: TcpDriver): PairId[] {
  const open = new Set<PairId>();
  for (const { kind, pair } of driver.edges) {
    if (pair === null) continue;
    if (kind === 'accepted') open.add(pair);
    else if (kind === 'closed') open.delete(pair);
  }
  return [...open];
}

function isExpected(end: PairEnd, way: string): boolean {
  if (!way.startsWith('clients')) return end.kind === 'closed';
  // One whose reset has not been read yet is closed by the call.
  return end.kind === 'client-gone' || end.kind === 'reset' || end.kind === 'closed';
}

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await settled(() => 0, 1);
}

async function allClosed({ driver, under }: Bench): Promise<void> {
  for (let passedMs = 0; passedMs <= LINGER_MS + 1_000; passedMs += 20) {
    await settled(() => driver.edges.length, 20);
    if (driver.count('closed') === PAIRS) return;
    await under.pass(20);
  }
}

/** The engine has come through it: it still serves. */
async function serves(bench: Bench, t: Test): Promise<void> {
  const { driver } = bench;
  driver.proxyTo(bench.backend.endpoint, Buffer.from('still'));
  const client = await bench.connect();
  let peer = await bench.backend.next();
  // Backends of pairs that were over stand before it.
  while ((await peer.takeText(5)) !== 'still') peer = await bench.backend.next();
  peer.finish('here');
  t.equal(String(await client.rest()), 'here');
  client.finish();
  t.equal(driver.count('acceptFailed'), 0, `listener ${LISTENER} accepts`);
}
