/** The words of `npm run bench -- …`. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type AnyCaseName, CASE_NAMES, SYNTHETIC } from './case_names.js';
import { type OtherCheckout, PEER_NAMES, type PeerName } from './peers.js';

export interface Options {
  readonly pace: 'full' | 'quick';
  readonly cases: readonly AnyCaseName[];
  readonly peers: readonly PeerName[];
  /** The peer `before`. */
  readonly other: OtherCheckout | null;
  readonly rounds: number;
  /** Where samples and report go; null: all was measured, so they replace the published ones. */
  readonly folder: string | null;
  readonly task: 'measure' | 'report' | 'help';
}

/** Those that this checkout has all of. */
const OWN_PEERS = PEER_NAMES.filter((name) => name !== 'before');

export const HELP = `npm run bench [-- OPTIONS]

  --quick         in about four minutes: shorter spans, the synthetic cases only
  --only A,B      these cases: ${CASE_NAMES.join(', ')}
  --peer A,B      these peers: ${OWN_PEERS.join(', ')}
  --before FOLDER beside the sluice of another checkout, which is built, with the same engine
  --rounds N      how often each peer has its turn (default 9; with --quick 5)
  --out FOLDER    where samples and report go (default benchmarks/results after a full run,
                  dist/bench after any other)
  --report        no measurement: report and README anew from the samples of the last full run
  --help
`;

const ROUNDS = { full: 9, quick: 5 } as const;
const PARTIAL_FOLDER = 'dist/bench';

/** Null with a sentence when the words make no sense. */
export function parseOptions(words: readonly string[]): Options | string {
  const values = read(words);
  if (typeof values === 'string') return values;
  const pace = values.quick ? 'quick' : 'full';
  const cases = chosen('case', values.only, CASE_NAMES);
  const peers = chosen('peer', values.peer, OWN_PEERS);
  if (typeof cases === 'string') return cases;
  if (typeof peers === 'string') return peers;
  const rounds = Number(values.rounds ?? ROUNDS[pace]);
  if (!Number.isInteger(rounds) || rounds < 1) return '--rounds wants a whole number above 0';
  const partial = values.quick || [values.only, values.peer, values.before].some(isGiven);
  return {
    pace,
    cases: values.quick && values.only === undefined ? SYNTHETIC : cases,
    peers: values.before === undefined ? peers : [...peers, 'before'],
    other:
      values.before === undefined
        ? null
        : { folder: resolve(values.before), engine: peers.includes('uring') ? 'uring' : 'node' },
    rounds,
    folder: values.out ?? (partial ? PARTIAL_FOLDER : null),
    task: values.help ? 'help' : values.report ? 'report' : 'measure',
  };
}

function read(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        peer: { type: 'string' },
        before: { type: 'string' },
        rounds: { type: 'string' },
        out: { type: 'string' },
        report: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isGiven(value: string | undefined): boolean {
  return value !== undefined;
}

function chosen<T extends string>(
  what: string,
  list: string | undefined,
  known: readonly T[],
): readonly T[] | string {
  if (list === undefined) return known;
  const names = list.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !known.some((one) => one === name));
  if (unknown !== undefined)
    return `no ${what} is called ${unknown}; there are ${known.join(', ')}`;
  return known.filter((one) => names.includes(one));
}
