/**
 * TCP contract: what a client says before its relay, in whatever pieces and at whatever moments,
 * reaches the backend once and in order, and its FIN behind it. The cases are drawn from a seed.
 */
import type { Test } from 'tap';
import type { PairId } from '../../../src/core/brand.js';
import { below, type Random, seededRandom } from '../../../src/core/random.js';
import { type Peer, refusingEndpoint } from '../../support/peer.js';
import { seed as firstSeed } from '../../support/seed.js';
import { silentEndpoint } from '../../support/silent_endpoint.js';
import { type Bench, EARLY_BYTES, type MakeEngine, settled, withEngine } from './bench.js';

const CASES = 24;
/** Of the clients: they send nothing, as where the server speaks first. */
const SILENT_SHARE = 0.25;
const HEADER = 'HEADER';

/** What happens to a pair, in this order; those in brackets only sometimes. */
const MOMENTS = [
  'connected',
  'accepted',
  '[header]',
  'chosen',
  '[a dial fails]',
  '[a rest]',
  '[a dial hangs]',
  '[it is given up]',
  'dialling',
  '[dialled]',
  'relayed',
] as const;
type Moment = (typeof MOMENTS)[number];

interface Piece {
  readonly bytes: Buffer;
  /** Whether it has a packet of its own. */
  readonly alone: boolean;
}

interface Case {
  readonly seed: number;
  readonly moments: readonly Moment[];
  readonly pieces: ReadonlyMap<Moment, readonly Piece[]>;
  readonly fin: Moment;
  readonly payload: Buffer;
  readonly prelude: string;
  /** The header is read in this many readings, one behind the other. */
  readonly readings: 1 | 2 | 3;
}

export function firstBytesContract(t: Test, make: MakeEngine): void {
  const drawnCases = Array.from({ length: CASES }, (_, at) => draw(firstSeed + at));
  for (const drawn of [finBehindHeader(), ...drawnCases]) {
    withEngine(t, make, `first bytes reach the backend: ${told(drawn)}`, async (bench, t) => {
      await play(bench, t, drawn);
    });
  }
}

/** Did not hold once: FIN comes after the header was asked for, and before it is reported. */
function finBehindHeader(): Case {
  const payload = Buffer.from('payload');
  const piece = { bytes: Buffer.concat([Buffer.from(HEADER), payload]), alone: true };
  return {
    seed: 0,
    moments: ['connected', 'accepted', '[header]', 'chosen', 'dialling', 'relayed'],
    pieces: new Map([['accepted', [piece]]]),
    fin: '[header]',
    payload,
    prelude: '',
    readings: 3,
  };
}

function draw(seed: number): Case {
  const random = seededRandom(seed);
  const chance = (share: number): boolean => random.next() < share;
  const isSilent = chance(SILENT_SHARE);
  const moments = MOMENTS.filter((moment) => !moment.startsWith('[') || chance(0.5))
    .filter((moment, _, all) => moment !== '[it is given up]' || all.includes('[a dial hangs]'))
    .filter((moment) => moment !== '[header]' || !isSilent);
  const hasHeader = moments.includes('[header]');
  const big = chance(0.2);
  const bytes = isSilent ? 0 : below(random, big ? 90_000 : 60);
  const payload = Buffer.alloc(bytes, `${seed} the quick brown fox `);
  const all = Buffer.concat([Buffer.from(hasHeader ? HEADER : ''), payload]);
  const cuts = cutsOf(random, all.length, HEADER.length);
  const pieces = new Map<Moment, Piece[]>();
  let at = 0;
  let moment = 0;
  for (const cut of cuts) {
    // A header is complete when it has been read.
    const last = hasHeader && at < HEADER.length ? moments.indexOf('[header]') : moments.length - 1;
    moment = Math.min(Math.max(moment, below(random, last + 1)), last);
    const when = moments[moment] ?? 'relayed';
    const piece = { bytes: all.subarray(at, cut), alone: chance(0.7) };
    pieces.set(when, [...(pieces.get(when) ?? []), piece]);
    at = cut;
  }
  const fin = moments[moment + below(random, moments.length - moment)] ?? 'relayed';
  const prelude = chance(0.5) ? 'prelude' : '';
  const readings = ([1, 2, 3] as const)[below(random, 3)] ?? 1;
  return { seed, moments, pieces, fin, payload, prelude, readings };
}

/** Where pieces end; often within the first bytes. */
function cutsOf(random: Random, length: number, often: number): readonly number[] {
  if (length === 0) return [];
  const cuts = new Set([length]);
  for (let count = below(random, 5); count > 0; count--) {
    const most = random.next() < 0.6 ? Math.min(length, 2 * often) : length;
    cuts.add(1 + below(random, most));
  }
  return [...cuts].sort((a, b) => a - b);
}

function told({ seed, moments, pieces, fin }: Case): string {
  const steps = moments.map((moment) => {
    const sent = (pieces.get(moment) ?? []).map(({ bytes }) => bytes.length).join('+');
    return `${moment}${sent === '' ? '' : ` ${sent}`}${moment === fin ? ' FIN' : ''}`;
  });
  return `SEED=${seed}: ${steps.join(', ')}`;
}

async function play(bench: Bench, t: Test, drawn: Case): Promise<void> {
  const { driver, backend } = bench;
  const hangs = drawn.moments.includes('[a dial hangs]') ? await silentEndpoint() : null;
  const refusing = await refusingEndpoint();
  t.teardown(() => hangs?.close());
  const client = await bench.connect();
  let pair = 0 as PairId;
  const prelude = drawn.prelude === '' ? null : Buffer.from(drawn.prelude);
  const steps: Readonly<Record<Moment, () => unknown>> = {
    connected: () => {},
    accepted: async () => {
      pair = await driver.nextPair();
    },
    '[header]': () => driver.engine.readEarly(pair, EARLY_BYTES),
    chosen: () => {},
    '[a dial fails]': async () => driver.engine.dial(pair, refusing, null),
    '[a rest]': () => settled(() => 0, 5),
    '[a dial hangs]': () => driver.engine.dial(pair, hangs?.endpoint ?? refusing, null),
    '[it is given up]': () => {},
    dialling: () => driver.engine.dial(pair, backend.endpoint, prelude),
    '[dialled]': () => driver.next('dialled', pair),
    relayed: () => driver.engine.relay(pair),
  };
  let isRead = false;
  let read = '';
  const part = HEADER.length / drawn.readings;
  driver.answers = {
    earlyBytes: (of, bytes) => {
      if (bytes.length < part) return;
      read += Buffer.from(bytes.subarray(0, part)).toString();
      driver.engine.earlyDone(of, part);
      isRead = read.length === HEADER.length;
      if (isRead) t.equal(read, HEADER);
      // No more than is needed, and more than that: both are a reading's limit.
      else driver.engine.readEarly(of, read.length % 4 === 0 ? part : EARLY_BYTES);
    },
  };
  for (const moment of drawn.moments) {
    if (moment === 'relayed' && !drawn.moments.includes('[dialled]')) {
      await driver.next('dialled', pair);
    }
    await steps[moment]();
    await send(client, drawn.pieces.get(moment) ?? []);
    if (moment === drawn.fin) client.finish();
    // What was begun comes to its end, with whatever was sent meanwhile.
    if (moment === '[header]') while (!isRead) await settled(() => 0, 1);
    if (moment === '[a dial fails]') await driver.next('dialFailed', pair);
    const givenUp = drawn.moments.includes('[it is given up]')
      ? '[it is given up]'
      : '[a dial hangs]';
    if (moment === givenUp) driver.engine.cancelDial(pair);
  }
  await answered(bench, t, client, drawn);
  t.equal(driver.engine.bytesIn[pair], drawn.payload.length);
}

async function send(client: Peer, pieces: readonly Piece[]): Promise<void> {
  for (const { bytes, alone } of pieces) {
    client.send(bytes);
    if (alone) await settled(() => 0, 3);
  }
}

/** The backend speaks first, gets everything, and answers. */
async function answered(bench: Bench, t: Test, client: Peer, drawn: Case): Promise<void> {
  const peer = await bench.backend.next();
  peer.send('greeting ');
  const got = await peer.rest();
  const wanted = Buffer.concat([Buffer.from(drawn.prelude), drawn.payload]);
  t.ok(got.equals(wanted), `${got.length} of ${wanted.length} bytes`);
  peer.finish('answer');
  t.equal(String(await client.rest()), 'greeting answer');
  t.same(await bench.driver.nextEnd(), { kind: 'finished', first: 'client' });
}
