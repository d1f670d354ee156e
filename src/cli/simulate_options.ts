/** The options of `sluice simulate`, and the scenario that they describe. */
import type { ArrivalSpec } from '../balance/simulate/arrivals.js';
import { DISTRIBUTIONS } from '../balance/simulate/distribution.js';
import type { Scenario } from '../balance/simulate/scenario.js';
import { policySpec } from '../config/schema/hash.js';
import { MAX_BACKENDS } from '../core/limits.js';
import { err, ok, type Result } from '../core/result.js';
import { POLICY_NAMES, type PolicySpec } from '../core/spec.js';
import type { OptionDescription } from './option.js';
import { equalBackends, parseBackend, parseTrouble } from './simulate_words.js';
import { WordReader, type Words } from './word_reader.js';

const HASHES = ['maglev', 'ring'] as const;

export const simulateOptions: readonly OptionDescription[] = [
  {
    flags: '--policy <names>',
    description: 'policies, with commas between',
    default: 'all',
    values: ['all', ...POLICY_NAMES],
  },
  { flags: '--backends <n>', description: 'how many equal backends: b0, b1 …', default: '10' },
  {
    flags: '--backend <spec...>',
    description: 'NAME[,weight=1][,speed=1][,cap=0], any number of them, instead of --backends',
  },
  {
    flags: '--slots <n>',
    description:
      'sessions that a backend serves at once, others wait; 0 = any (default: 1, with --log 0)',
  },
  { flags: '--rate <n>', description: 'new sessions per second', default: '1000' },
  { flags: '--duration <time>', description: 'how long sessions come', default: '60s' },
  { flags: '--warmup <time>', description: 'simulated first and not measured', default: '0s' },
  {
    flags: '--work <distribution>',
    description: `of service times: ${DISTRIBUTIONS.join(', ')}`,
    default: 'exponential',
    values: DISTRIBUTIONS,
  },
  { flags: '--mean <time>', description: 'mean service time', default: '8ms' },
  { flags: '--clients <n>', description: 'distinct client addresses', default: '1000' },
  {
    flags: '--log <file>',
    description: 'sessions of an access log (JSON lines, - = standard input) instead',
  },
  {
    flags: '--listener <name>',
    description: 'with --log: only the sessions of this one',
    values: 'listener',
  },
  { flags: '--down <spec...>', description: 'NAME@20s-40s: dead from and to these times' },
  { flags: '--slow <spec...>', description: 'NAME@20s-40sx5: service times are 5 times as long' },
  {
    flags: '--detect <time>',
    description: 'until health notices a death or return',
    default: '3s',
  },
  { flags: '--retries <n>', description: 'further backends after a refused dial', default: '2' },
  {
    flags: '--hash <algorithm>',
    description: 'maglev or ring',
    default: 'maglev',
    values: HASHES,
  },
  {
    flags: '--balance-factor <x>',
    description: 'bounded load of source-hash; 0 = off',
    default: '1.25',
  },
  { flags: '--seed <n>', description: 'the same seed gives the same figures', default: '1' },
  { flags: '--json', description: 'JSON instead of a table' },
];

export interface SimulateRequest {
  readonly policies: readonly PolicySpec[];
  readonly pool: Omit<Scenario, 'arrivals'>;
  readonly source:
    | { readonly kind: 'drawn'; readonly spec: ArrivalSpec }
    | { readonly kind: 'recorded'; readonly path: string; readonly listener: string | null };
  readonly seed: number;
  readonly output: 'table' | 'json';
}

/** Reads the parsed command line (long names in camelCase); or one sentence a problem. */
export function readSimulateWords(words: Words): Result<SimulateRequest, readonly string[]> {
  const reader = new WordReader(words, defaults());
  const path = reader.text('log');
  const request: SimulateRequest = {
    policies: readPolicies(reader),
    pool: readPool(reader, path === null ? 1 : 0),
    source:
      path === null
        ? { kind: 'drawn', spec: readArrivals(reader) }
        : { kind: 'recorded', path, listener: reader.text('listener') },
    seed: reader.whole('seed', 0, 2 ** 32 - 1),
    output: words['json'] === true ? 'json' : 'table',
  };
  return reader.problems.length > 0 ? err(reader.problems) : ok(request);
}

function readPool(reader: WordReader, usualSlots: number): Omit<Scenario, 'arrivals'> {
  const named = reader.each('backend', parseBackend);
  const backends =
    named.length > 0 ? named : equalBackends(reader.whole('backends', 1, MAX_BACKENDS));
  const names = backends.map((backend) => backend.name);
  if (new Set(names).size < names.length) reader.problems.push('--backend: each name once, please');
  return {
    backends,
    slots: reader.text('slots') === null ? usualSlots : reader.whole('slots', 0, 1_000_000),
    troubles: [
      ...reader.each('down', (text) => parseTrouble('down', text, names)),
      ...reader.each('slow', (text) => parseTrouble('slow', text, names)),
    ],
    detectMs: reader.duration('detect'),
    retries: reader.whole('retries', 0, 100),
    warmupMs: reader.duration('warmup'),
  };
}

function readPolicies(reader: WordReader): PolicySpec[] {
  const isAll = reader.text('policy') === 'all';
  const names = isAll ? POLICY_NAMES : reader.listOf('policy', POLICY_NAMES);
  const hash = {
    algorithm: reader.oneOf('hash', HASHES),
    ipv6_prefix: 64,
    balance_factor: readFactor(reader),
    table_size: 65_537,
  };
  return names.map((name) => policySpec(name, hash));
}

function readArrivals(reader: WordReader): ArrivalSpec {
  return {
    ratePerSecond: reader.decimal('rate', 0.001, 10_000_000),
    durationMs: reader.duration('duration'),
    work: reader.oneOf('work', DISTRIBUTIONS),
    meanWorkMs: reader.duration('mean'),
    clients: reader.whole('clients', 1, 2 ** 24),
  };
}

function readFactor(reader: WordReader): number {
  const factor = reader.decimal('balanceFactor', 0, 100);
  if (factor > 0 && factor < 1)
    reader.problems.push('--balance-factor: expected 0, or 1 and above');
  return factor;
}

function defaults(): Words {
  return Object.fromEntries(
    simulateOptions.map((option) => [
      option.flags
        .replace(/^--| .*$/g, '')
        .replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
      option.default,
    ]),
  );
}
