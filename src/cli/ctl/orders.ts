/** `sluice ctl drain`, `weight`, `hold`, `log-level` …: what operators want instead. */

import type { CHANGE_ANSWER, OVERRIDE } from '../../control/api/changing.js';
import type { BACKENDS } from '../../control/api/lists.js';
import type { ShapeOf } from '../../control/api/shape.js';
import { accountOf, deviationText } from '../../core/deviation.js';
import { poolOfAll } from '../../core/identity.js';
import { LOG_LEVELS } from '../../core/spec.js';
import type { OptionDescription, PositionalDescription } from '../option.js';
import { type Client, WrongWords } from './client.js';
import type { CtlCall, CtlCommand } from './command.js';
import { timeoutMs, waitFor } from './wait.js';

type Changed = ShapeOf<typeof CHANGE_ANSWER>;
type Override = ShapeOf<typeof OVERRIDE>;

const NAMES: PositionalDescription = {
  usage: '<backend...>',
  description: 'POOL/BACKEND, or POOL/* for all of a pool',
  values: 'backends',
};
const NAME = { ...NAMES, usage: '<backend>' };
const POOL: PositionalDescription = { usage: '<pool>', description: 'its name', values: 'pool' };
const BECAUSE: OptionDescription = {
  flags: '--because <text>',
  description: 'why: shown wherever the deviation is',
};
const PROVENANCE: readonly OptionDescription[] = [
  { flags: '--for <time>', description: 'it ends by itself after this long, such as 30m' },
  BECAUSE,
];
const WAITING: readonly OptionDescription[] = [
  { flags: '--wait', description: 'return when it is so; exit code 1 at --timeout' },
  { flags: '--timeout <time>', description: 'of --wait', default: '10m' },
];
const KEPT =
  'It survives reload and restart, until --for is over, it is ended, or the file changes what it replaced.';

export const drain: CtlCommand = {
  name: 'drain',
  description: 'no new sessions; existing ones may finish (drain_timeout, then drain_spread)',
  positionals: [NAMES],
  options: [...PROVENANCE, ...WAITING],
  notes: KEPT,
  run: async (call) => {
    checkWaiting(call);
    await give(call, '/drain', { backends: call.rest, ...provenance(call) });
    return waited(call, 'drained');
  },
};

export const maintain: CtlCommand = {
  name: 'maintain',
  description: 'the same, and it is not probed either',
  positionals: [NAMES],
  options: [...PROVENANCE, ...WAITING],
  notes: KEPT,
  run: async (call) => {
    checkWaiting(call);
    await give(call, '/maintain', { backends: call.rest, ...provenance(call) });
    return waited(call, 'drained');
  },
};

export const ready: CtlCommand = {
  name: 'ready',
  description: 'end drain and maintenance; leaves weight and cap',
  positionals: [NAMES],
  options: WAITING,
  run: async (call) => {
    checkWaiting(call);
    await give(call, '/ready', { backends: call.rest });
    return waited(call, 'up');
  },
};

export const weight: CtlCommand = {
  name: 'weight',
  description: 'another weight, 0 to 1000, or a share of the configured one, such as 50%',
  positionals: [NAME, { usage: '<weight>', description: 'N or N%' }],
  options: PROVENANCE,
  notes: KEPT,
  run: (call) => {
    const [backend = '', value = ''] = call.rest;
    const body = { backends: [backend], value: numberOr(value), ...provenance(call) };
    return give(call, '/weight', body);
  },
};

export const cap: CtlCommand = {
  name: 'cap',
  description: 'another cap of sessions; 0 is none',
  positionals: [NAME, { usage: '<sessions>', description: 'at the same time, at most' }],
  options: PROVENANCE,
  notes: KEPT,
  run: (call) => {
    const [backend = '', value = ''] = call.rest;
    const body = { backends: [backend], value: numberOr(value), ...provenance(call) };
    return give(call, '/cap', body);
  },
};

export const hold: CtlCommand = {
  name: 'hold',
  description: 'new sessions of a pool wait, and nothing is chosen, until it is released',
  positionals: [POOL],
  options: [
    {
      flags: '--max <sessions>',
      description: 'how many may wait, 1 to 100000 (1000 by default); a further one is refused',
    },
    { flags: '--drain', description: 'existing sessions end, over drain_spread of the pool' },
    { flags: '--for <time>', description: 'it ends by itself after this long', default: '5m' },
    BECAUSE,
  ],
  notes:
    'queue_timeout stands still meanwhile, and /ready stays 200. It survives reload and restart. With --drain it has to be longer than drain_spread.',
  run: (call) => {
    const { max, drain: drains } = call.words;
    const body = {
      pool: call.rest[0] ?? '',
      ...(max === undefined ? {} : { max: numberOr(String(max)) }),
      ...(drains === true ? { drain: true } : {}),
      ...provenance(call),
    };
    return give(call, '/hold', body);
  },
};

export const release: CtlCommand = {
  name: 'release',
  description: 'end the hold of a pool: those that wait are served in their order',
  positionals: [POOL],
  options: [],
  run: (call) => give(call, '/release', { pool: call.rest[0] ?? '' }),
};

const BLOCK = { usage: '<block>', description: 'an address, or a CIDR block' };

export const deny: CtlCommand = {
  name: 'deny',
  description: 'new sessions of these clients are refused, at every listener',
  positionals: [BLOCK],
  options: PROVENANCE,
  notes:
    'Whatever access lists say. It survives reload and restart, until --for is over or it is ended by `admit`. Sessions that are there stay: `sluice ctl kill --client` ends them.',
  run: (call) => give(call, '/deny', { client: call.rest[0] ?? '', ...provenance(call) }),
};

export const admit: CtlCommand = {
  name: 'admit',
  description: 'end a `deny`',
  positionals: [{ ...BLOCK, values: 'denied' }],
  options: [],
  run: (call) => give(call, '/admit', { client: call.rest[0] ?? '' }),
};

export const logLevel: CtlCommand = {
  name: 'log-level',
  description: 'another level of the log: trace, debug, info, warn or error',
  positionals: [
    { usage: '<level>', description: 'the configured one ends the deviation', values: LOG_LEVELS },
  ],
  options: PROVENANCE,
  notes: KEPT,
  run: (call) => give(call, '/log-level', { level: call.rest[0] ?? '', ...provenance(call) }),
};

export const reset: CtlCommand = {
  name: 'reset',
  description: 'end all that deviates from the configuration',
  positionals: [NAMES],
  options: [],
  run: (call) => give(call, '/reset', { backends: call.rest }),
};

async function give({ client, out }: CtlCall, path: string, body: object): Promise<number> {
  const changed = await client.post<Changed>(path, body);
  out.show(changed, ({ set, ended }) => {
    const told = [
      ...set.map((one) => `${subject(one)}: ${sentence(one)}`),
      ...ended.map((one) => endedText(one)),
    ];
    return told.length === 0 ? ['nothing changes: it is as configured'] : told;
  });
  for (const note of changed.notes) out.complain(note);
  return 0;
}

/** Before anything is done: an order whose words are wrong changes nothing. */
function checkWaiting({ words }: CtlCall): void {
  if (words['wait'] === true) timeoutMs(String(words['timeout']));
}

/** `POOL/*` is asked for by its backends. */
async function waited({ client, words, rest }: CtlCall, goal: string): Promise<number> {
  if (words['wait'] !== true) return 0;
  const timeout = String(words['timeout']);
  for (const name of rest) {
    for (const one of await named(client, name)) await waitFor(client, one, goal, timeout);
  }
  return 0;
}

async function named(client: Client, name: string): Promise<readonly string[]> {
  const pool = poolOfAll(name);
  if (pool === null) return [name];
  const { items } = await client.get<ShapeOf<typeof BACKENDS>>('/backends', { pool });
  return items.map((backend) => `${pool}/${backend.name}`);
}

function provenance({ words }: CtlCall): object {
  const { for: time, because } = words;
  return {
    ...(time === undefined ? {} : { for: time }),
    ...(because === undefined ? {} : { because }),
  };
}

function numberOr(text: string): number | string {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  if (text.startsWith('-')) throw new WrongWords(`expected a number that is not negative: ${text}`);
  return text;
}

function sentence(one: Override): string {
  const until = one.until === null ? '' : `, until ${one.until}`;
  return `${deviationText(one)}${until}`;
}

/** `pg/a: no longer drained`. */
export function endedText(one: Override): string {
  return `${subject(one)}: no longer ${one.kind === 'hold' ? 'held' : deviationText(one)}`;
}

/** What it is about: a backend, a pool, the daemon, or clients. */
export function subject({ kind, backend, value }: Override): string {
  return kind === 'deny' ? String(value) : backend;
}

/** `drained by ada: kernel update (since …)` */
export function account({ since, until, ...one }: Override): string {
  const untilWallMs = until === null ? null : Date.parse(until);
  return accountOf({ ...one, sinceWallMs: Date.parse(since), untilWallMs });
}
