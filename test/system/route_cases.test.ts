/**
 * A PROXY header × a route × an access list or a limit × how the pool stands × an end: what the
 * client gets, where it is led, what its access line says, and what is counted.
 */
import t from 'tap';
import { type AccessLine, accessLines } from '../support/access_lines.js';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { eventually, within } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import {
  FINISHES,
  HEADERS,
  hasHolder,
  hasWaiter,
  hostOf,
  isBarredByHeader,
  isTurnedAway,
  mustWait,
  POOLS,
  PORTS,
  ROUTE_CASES,
  ROUTES,
  type Role,
  type RouteCase,
  RULES,
  refusalIn,
  routeCasesText,
  socketHostOf,
  toldIn,
  wordsOf,
} from '../support/route_cases.js';
import { tryDial, type Wire } from '../support/wire.js';

interface Session {
  readonly one: RouteCase;
  /** null: it was reset before it knew that it was connected. */
  readonly wire: Wire | null;
  /** Of the client, as the access line must have it; null: unknown, as its port is. */
  readonly client: string | null;
}

const GAUGES = ['sluice_sessions_active', 'sluice_backend_active', 'sluice_queue_length'];
const refused = ROUTE_CASES.filter((one) => refusalIn(one) !== null);
const served = ROUTE_CASES.filter((one) => refusalIn(one) === null);
const waiting = served.filter(mustWait);

t.test('the cases have every pair of what they vary', async (t) => {
  const all = { header: HEADERS, route: ROUTES, rule: RULES, pool: POOLS, finish: FINISHES };
  const names = Object.keys(all) as (keyof typeof all)[];
  const found = new Set(
    ROUTE_CASES.flatMap((one) =>
      names.flatMap((a) => names.map((b) => `${a} ${one[a]}, ${b} ${one[b]}`)),
    ),
  );
  const missing = names.flatMap((a) =>
    names
      .filter((b) => b !== a)
      .flatMap((b) => all[a].flatMap((x) => all[b].map((y) => `${a} ${x}, ${b} ${y}`)))
      .filter((pair) => !found.has(pair)),
  );
  t.same(missing, []);
});

t.test(
  'header, route, rule and pool together: which client is served, which is refused, and why',
  async (t) => {
    const [echo, other] = await startEchoes(t, 2);
    const daemon = await startDaemon(t, {
      workers: 2,
      access: 'all',
      toml: routeCasesText(echo?.address ?? '', other?.address ?? ''),
    });
    const begin = (cases: readonly RouteCase[], role: Role): Promise<readonly Session[]> =>
      Promise.all(cases.map((one) => begun(daemon, one, role)));
    const queued = (count: number) =>
      daemon.metricSettles('sluice_queue_length', {}, (sum) => sum === count);

    const holders = await begin(ROUTE_CASES.filter(hasHolder), 'holder');
    await Promise.all(holders.map(answered));
    const waiters = await begin(ROUTE_CASES.filter(hasWaiter), 'waiter');
    await queued(waiters.length);
    const turnedDown = await begin(refused, 'client');
    const told = await Promise.all(turnedDown.map(heard));
    t.same(
      told.filter((wrong) => wrong !== null),
      [],
    );
    const clients = await begin(served, 'client');
    await Promise.all(clients.filter(({ one }) => !mustWait(one)).map(answered));
    await queued(waiters.length + waiting.length);

    await Promise.all(holders.map(finished));
    await Promise.all(waiters.map(answered));
    await Promise.all(waiters.map(finished));
    await Promise.all(clients.filter(({ one }) => mustWait(one)).map(answered));
    await Promise.all(
      clients.map(async (session) => {
        if (session.one.finish === 'finish') return finished(session);
        session.wire?.reset();
      }),
    );
    for (const gauge of GAUGES) await daemon.metricSettles(gauge, {}, (sum) => sum === 0);

    t.same(await wrongLines(daemon, [...turnedDown, ...clients]), []);
    t.same(await wrongCounts(daemon), []);
    t.equal(other?.served, 0, 'no session went elsewhere');
  },
);

async function begun(daemon: Daemon, one: RouteCase, role: Role): Promise<Session> {
  const port = await daemon.port(one.name);
  const wire = await tryDial({ port, localAddress: socketHostOf(one, role) });
  if (typeof wire === 'string') return { one, wire: null, client: null };
  const { header, words } = wordsOf(one, role);
  const isNamed = one.header === 'v1' || one.header === 'v2';
  const { localPort } = wire.socket;
  const own = localPort === undefined ? null : `${socketHostOf(one, role)}:${localPort}`;
  const isSilent = role === 'client' && isBarredByHeader(one);
  wire.socket.write(isSilent ? header : Buffer.concat([header, words]));
  return { one, wire, client: isNamed ? `${hostOf(one, role)}:${PORTS[role]}` : own };
}

async function answered({ one, wire }: Session): Promise<void> {
  const { words } = wordsOf(one, 'client');
  if (wire === null) throw new Error(`${named(one)}: it was reset`);
  const echo = await wire.read(words.length).catch((error) => String(error));
  if (echo.toString('hex') !== words.toString('hex')) throw new Error(`${named(one)}: ${echo}`);
}

async function finished({ one, wire }: Session): Promise<void> {
  wire?.finish();
  if (wire !== null) await within(`the end of ${named(one)}`, wire.closed);
}

/** What is wrong with the message that a refused client got before its end. */
async function heard({ one, wire }: Session): Promise<string | null> {
  const cause = refusalIn(one);
  const expected = cause === null ? null : toldIn(one, cause);
  if (wire === null) return expected === null ? null : `${named(one)}: it got no message`;
  const { text } = await wire.readAll();
  wire.socket.destroy();
  const hex = Buffer.from(text, 'latin1').toString('hex');
  return expected === null || hex.endsWith(expected) ? null : `${named(one)}: it got ${hex}`;
}

async function wrongLines(daemon: Daemon, all: readonly Session[]): Promise<readonly string[]> {
  const sure = all.filter(({ one }) => !isTurnedAway(one));
  const linesOf = ({ one, client }: Session): readonly AccessLine[] =>
    accessLines(daemon).filter(
      (line) =>
        line.listener === one.name &&
        (client === null ? refusalIn(one) === line.outcome.cause : line.client === client),
    );
  await eventually('the access lines of all', () =>
    sure.every((session) => linesOf(session).length > 0) ? true : undefined,
  ).catch(() => {});
  return all.flatMap((session) => {
    const lines = linesOf(session);
    const least = isTurnedAway(session.one) ? 0 : 1;
    const wrong = lines.flatMap((line) => wrongIn(session.one, line));
    if (lines.length < least || lines.length > 1) wrong.push(`${lines.length} lines`);
    return wrong.map((what) => `${named(session.one)}: ${what}`);
  });
}

function wrongIn(one: RouteCase, { pool, backend, outcome }: AccessLine): string[] {
  const refusal = refusalIn(one);
  const cause = refusal ?? (one.finish === 'finish' ? 'finished' : 'client-reset');
  const isLed = refusal === null || ['all-full', 'queue-full', 'queue-timeout'].includes(refusal);
  const wrong = outcome.cause === cause ? [] : [`${outcome.cause}, not ${cause}`];
  if (refusal !== null && outcome.by !== 'sluice') wrong.push(`ended by ${outcome.by}`);
  if (isLed && pool !== one.name) wrong.push(`pool ${pool}`);
  if (refusal === 'no-route' && pool !== null) wrong.push(`pool ${pool}`);
  if ((backend === null) !== (refusal !== null)) wrong.push(`backend ${backend}`);
  return wrong;
}

async function wrongCounts(daemon: Daemon): Promise<readonly string[]> {
  const metrics = await daemon.metrics();
  return ROUTE_CASES.flatMap((one) => {
    const refusal = refusalIn(one);
    const counted = metrics
      .select('sluice_refused_total', { listener: one.name })
      .flatMap(({ labels, value }) => (value > 0 ? [`${labels['reason']} ${value}`] : []));
    const expected = refusal === null ? [] : [`${refusal} 1`];
    return counted.join() === expected.join() ? [] : [`${named(one)}: ${counted.join()}`];
  });
}

function named({ name, header, route, rule, pool, finish }: RouteCase): string {
  return `${name} (header ${header}, route ${route}, rule ${rule}, pool ${pool}, ${finish})`;
}
