/** `sluice ctl events` and `sluice ctl why`. */
import { EVENT_NAMES, type EVENTS_PAGE, type HISTORY } from '../../control/api/events.js';
import type { ShapeOf } from '../../control/api/shape.js';
import type { Words } from '../word_reader.js';
import type { Client } from './client.js';
import type { CtlCommand } from './command.js';
import { backendRows } from './lists.js';
import type { Output } from './output.js';
import { textsOf } from './sessions.js';
import { trafficRows } from './traffic.js';

type Events = ShapeOf<typeof EVENTS_PAGE>;
type Event = Events['items'][number];
type History = ShapeOf<typeof HISTORY>;

export const events: CtlCommand = {
  name: 'events',
  description: 'what has happened lately, in the words of the log',
  options: [
    { flags: '--follow', description: 'go on with what happens from now on' },
    { flags: '--since <time>', description: 'only those that are not older, as 10m' },
    {
      flags: '--event <name>',
      description: 'only those of a name; session: access lines',
      values: EVENT_NAMES,
    },
    {
      flags: '--limit <n>',
      description:
        'how many at most, up to 10000: the newest, or with --since the first from there',
      default: '1000',
    },
    { flags: '--cursor <cursor>', description: 'go on behind a page: what it gave as next' },
  ],
  notes: 'With --follow and --json each event is one line.',
  run: async ({ client, out, words }) => {
    if (words['follow'] === true) return follow(client, out, words);
    const query = textsOf(words, ['since', 'event', 'limit', 'cursor']);
    const page = await client.get<Events>('/events', query);
    out.show(page, ({ items }) => items.map(line));
    if (page.next !== null) out.complain(`there are more: --cursor ${page.next}`);
    return 0;
  },
};

/** The daemon answers with the next event, or after this. */
const WAIT = '20s';

async function follow(client: Client, out: Output, words: Words): Promise<never> {
  const named = textsOf(words, ['event']);
  // Without a time to begin at, with what happens from now on.
  const since = typeof words['since'] === 'string' ? words['since'] : '0s';
  let page = await client.get<Events>('/events', { ...named, since });
  for (;;) {
    for (const event of page.items) out.item(event, line);
    if (page.lost) out.complain('some events were lost: they came too fast');
    const cursor = page.next ?? String(page.items.at(-1)?.['number'] ?? page.last);
    page = await client.get<Events>('/events', { ...named, cursor, wait: WAIT });
  }
}

export const why: CtlCommand = {
  name: 'why',
  description: 'how a backend is, what it has done so far, and how that came about',
  positionals: [{ usage: '<backend>', description: 'POOL/BACKEND', values: 'backend' }],
  options: [],
  run: async ({ client, out, rest: [backend] }) => {
    const history = await client.get<History>('/why', { backend });
    out.show(history, (value, fit) => [
      ...fit(backendRows([value.backend]), 'blocks'),
      '',
      ...fit(trafficRows(value.traffic), 'blocks'),
      '',
      ...fit(historyRows(value), 'wrap'),
    ]);
    return 0;
  },
};

function historyRows({ history }: History): readonly (readonly string[])[] {
  return history.map(({ time, last, count, event, cause, detail, fields }) => [
    count === 1 ? clock(time) : `${clock(time)} – ${clock(last)}`,
    count === 1 ? event : `${event} ×${count}`,
    cause ?? '',
    detail ?? told(fields, ASKED_FOR),
  ]);
}

/** Of one backend's history: whose it is, and what has a column of its own. */
const ASKED_FOR = new Set(['pool', 'backend', 'address', 'cause']);

/** Fields that every event has are kept apart from its own. */
const COMMON = new Set(['number', 'time', 'level', 'event', 'msg', 'remedy']);

function line(event: Event): string {
  const head = `${clock(text(event['time']))} ${text(event['event'])}`;
  return `${head} ${told(event, COMMON)}`.trimEnd();
}

function told(fields: Readonly<Record<string, unknown>>, without: ReadonlySet<string>): string {
  return Object.entries(fields)
    .filter(([name, value]) => !without.has(name) && value !== '')
    .map(([name, value]) => `${name}=${text(value)}`)
    .join(' ');
}

function text(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** To the second, in UTC as in the log. */
function clock(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)}`;
}
