/** `sluice ctl sessions` and `sluice ctl kill`. */
import { span } from '../../admin/table.js';
import type { KILLED, SESSIONS } from '../../control/api/sessions.js';
import type { ShapeOf } from '../../control/api/shape.js';
import { SESSION_SORTS } from '../../core/questions.js';
import type { OptionDescription } from '../option.js';
import type { Words } from '../word_reader.js';
import type { CtlCommand } from './command.js';

type Sessions = ShapeOf<typeof SESSIONS>;
type Killed = ShapeOf<typeof KILLED>;

const FILTER: readonly OptionDescription[] = [
  { flags: '--listener <name>', description: 'only those of a listener', values: 'listener' },
  { flags: '--pool <name>', description: 'only those of a pool', values: 'pool' },
  {
    flags: '--backend <backend>',
    description: 'only those at a backend, POOL/BACKEND or BACKEND',
    values: 'backend',
  },
  { flags: '--client <block>', description: 'only clients in a block: 10.0.0.0/8, or one address' },
  { flags: '--older <time>', description: 'only those that are so old at least, as 30s or 2h' },
  { flags: '--idle <time>', description: 'only those without a byte for at least this long' },
];
const FILTER_WORDS = ['listener', 'pool', 'backend', 'client', 'older', 'idle'] as const;

export const sessions: CtlCommand = {
  name: 'sessions',
  description: 'TCP sessions and UDP flows as they are now',
  options: [
    ...FILTER,
    {
      flags: '--sort <by>',
      description: 'age, bytes or idle: which come first',
      default: 'age',
      values: SESSION_SORTS,
    },
    { flags: '--limit <n>', description: 'how many at most, up to 10000', default: '100' },
    { flags: '--cursor <cursor>', description: 'go on behind a page: what it gave as next' },
  ],
  run: async ({ client, out, words }) => {
    const query = { ...textsOf(words, [...FILTER_WORDS, 'sort', 'limit', 'cursor']) };
    const page = await client.get<Sessions>('/sessions', query);
    out.show(page, (value, fit) => fit(rows(value)));
    for (const sentence of [...page.missing, ...page.elsewhere]) out.complain(sentence);
    if (page.next !== null) out.complain(`there are more: --cursor ${page.next}`);
    return 0;
  },
};

export const kill: CtlCommand = {
  name: 'kill',
  description: 'end a session, or all that are meant',
  positionals: [
    { usage: '[session]', description: 'its id, as sessions and access lines have it' },
  ],
  options: [
    ...FILTER,
    { flags: '--spread <time>', description: 'spread their ends over this long, such as 30s' },
  ],
  run: async ({ client, out, words, rest: [session] }) => {
    const body = { ...textsOf(words, [...FILTER_WORDS, 'spread']) };
    const named = session === undefined ? {} : { session };
    const answer = await client.post<Killed>('/kill', { ...body, ...named });
    const over = body['spread'] === undefined ? '' : `, over ${body['spread']}`;
    out.show(answer, ({ killed }) => [
      `${killed} session${killed === 1 ? '' : 's'} asked to end${over}`,
    ]);
    for (const sentence of [...answer.missing, ...answer.elsewhere]) out.complain(sentence);
    return 0;
  },
};

function rows({ items }: Sessions): readonly (readonly string[])[] {
  const heads = ['ID', 'LISTENER', 'CLIENT', 'BACKEND', 'STATE', 'AGE', 'IDLE', 'IN', 'OUT'];
  return [
    heads,
    ...items.map((one) => [
      one.id,
      one.listener,
      one.client,
      one.backend === null ? `${one.pool}/-` : `${one.pool}/${one.backend}`,
      one.state,
      span(one.age_ms),
      span(one.idle_ms),
      bytes(one.bytes_in),
      bytes(one.bytes_out),
    ]),
  ];
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `17 B`, `4.2 MiB`. */
export function bytes(count: number): string {
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Those of `names` that were given. */
export function textsOf(words: Words, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => (typeof words[name] === 'string' ? [[name, words[name]]] : [])),
  );
}
