/** `[listeners.NAME.limits]`: how many sessions a client may have, and how fast it may come. */
import type { LimitsSpec, NewSessions } from '../../core/spec.js';
import { fault, fits, type ReadValue } from '../reading.js';
import { blockList } from './blocks.js';
import { choice, duration, flag, integer, text } from './kinds.js';
import { table, type ValueOf } from './node.js';

const MAX_BLOCKS = 1_024;
/** More than one machine has ports. */
const MAX_SESSIONS = 1_000_000;
const MS_BY_UNIT = { s: 1_000, m: 60_000, h: 3_600_000 } as const;
const RATE_PATTERN = '^$|^[1-9][0-9]{0,5}/[smh]$';

export const LIMITS = table(
  'What one client may have, by its address: exact over all workers. Behind a trusted proxy the client of the PROXY header counts; UNIX clients have no address, and no limit. 262,144 clients can be counted at a time; when more have sessions or a rate that is not at rest, a new one is served without being counted, and `sluice_clients_uncounted_total` says so. A reload keeps the counts; sessions that began before there was a limit are not in them. With `engine = "node"` a client that has reset before it was accepted has no address any more: it is no session, and counts nowhere.',
  {
    sessions_per_client: integer({
      default: 0,
      min: 0,
      max: MAX_SESSIONS,
      doc: 'Sessions, or UDP flows, of one client at the same time; one more is refused as `too-many-sessions`. 0: no limit. A cancel of Postgres (`postgres.cancel = "route"`) is no session: it does not count, and passes where its client may have no more. So a client that may have no more is refused only after its first message there; a worker reads that of 64 such connections at a time, of one client at most as many as are free, and refuses more unread.',
    }),
    new_per_client: text(
      {
        default: '',
        doc: 'How fast sessions or flows of one client may begin, as "20/s", "100/m" or "500/h"; one that comes sooner is refused as `too-fast`, and does not count. A client that finds no place at the listener uses none of it up, and a cancel of Postgres takes no turn where `postgres.cancel = "route"`. "": no limit.',
      },
      '"20/s", "100/m" or "500/h", with up to 999999, or ""',
      readRate,
      RATE_PATTERN,
    ),
    burst: integer({
      default: 0,
      min: 0,
      max: MAX_SESSIONS,
      doc: 'How many of `new_per_client` may come at once, after a rest. 0: as many as its number, so that "20/s" allows 20 at once and then one every 50 ms.',
    }),
    new_per_second: integer({
      default: 0,
      min: 0,
      max: MAX_SESSIONS,
      doc: 'How many sessions may begin at the listener in any second, of all clients together; the rest waits in the backlog. Up to 4 % of them stay unused, so that there is never one too many. Clients that are refused by their address or by what they have do not count, unless a first message or a PROXY header had to be read before. UDP: flows, and the rest is dropped as `too-fast`. 0: no limit.',
    }),
    exempt: blockList(MAX_BLOCKS, {
      default: [],
      doc: 'Addresses and CIDR blocks of clients that are counted and never refused: what watches the service, for example. `new_per_second` is for them too.',
    }),
    ipv6_prefix: integer({
      default: 64,
      min: 1,
      max: 128,
      doc: 'How many of the first bits of an IPv6 address make one client: a host has as many addresses as it likes.',
    }),
    action: choice(['reset', 'close', 'delay'], {
      default: 'reset',
      doc: 'How a client is refused. "reset": at once, and it costs least. "close": in order, so that the client reads an end and no error. "delay": reset after `delay`, so that one that tries again and again is slow; a worker keeps 1,000 of them waiting at most, and resets more at once. UDP: datagrams are dropped in any case.',
    }),
    delay: duration({
      default: '5s',
      min: '10ms',
      max: '5m',
      doc: 'How long `action = "delay"` keeps a client that is refused waiting.',
    }),
    dry_run: flag({
      default: false,
      doc: 'true: no client is refused, and none waits for `new_per_second`; one that would be refused is served without being counted, and `sluice_would_refuse_total` says how many.',
    }),
  },
);

type LimitsValue = ValueOf<typeof LIMITS>;

/** null: there is no limit. */
export function limitsSpec(value: LimitsValue): LimitsSpec | null {
  const { sessions_per_client: sessions, new_per_client: rate, new_per_second: perSecond } = value;
  if (sessions === 0 && rate === null && perSecond === 0) return null;
  return {
    sessionsPerClient: sessions,
    newPerClient: rate === null ? null : { ...rate, burst: value.burst || rate.count },
    newPerSecond: perSecond,
    exempt: value.exempt,
    ipv6PrefixBits: value.ipv6_prefix,
    action: value.action,
    delayMs: value.delay,
    dryRun: value.dry_run,
  };
}

function readRate(text: string): ReadValue<Omit<NewSessions, 'burst'> | null> {
  if (text === '') return fits(null);
  const [, count = '', unit = ''] = /^([1-9][0-9]{0,5})\/([smh])$/.exec(text) ?? [];
  const perMs = Object.entries(MS_BY_UNIT).find(([name]) => name === unit)?.[1];
  if (perMs === undefined) return fault('malformed', 'not a rate');
  return fits({ count: Number(count), perMs });
}
