/**
 * What must be true of a program after it ran: each session's bytes and end, and the daemon itself.
 */
import { OVERRULED } from '../../src/control/change_queue.js';
import { type Cause, REFUSALS } from '../../src/core/outcome.js';
import { type AccessLine, accessLines } from '../support/access_lines.js';
import type { Daemon } from '../support/daemon.js';
import { eventually, within } from '../support/deadline.js';
import type { Exposition } from '../support/exposition.js';
import { mayEnd, mayHaveBeenDisturbed } from './allowed.js';
import type { Connection } from './backend.js';
import type { Client } from './client.js';
import { DEFECT } from './every_thread.js';
import { CALM } from './program.js';
import type { Finding, Story } from './run_program.js';

/**
 * A worker of the uring engine keeps this many descriptors of pipes; probes have some in flight.
 */
const KEPT_DESCRIPTORS = 64;
const SETTLE_MS = 9_000;
const LINE_MS = 2_000;
/** The shutdown timeout of programs, and what the end may take beyond it. */
const STOP_MS = 1_000 + 4_000;
/** What the daemon says of a thread that was terminated from outside, or threw by order. */
const LOST_BY_ORDER = ['the thread ended without a word', DEFECT];
/** A flood of these costs no line each. */
const TURNED_AWAY = ['denied', 'not-allowed', 'too-many-sessions', 'too-fast'] as const;
const GAUGES = ['sluice_sessions_active', 'sluice_backend_active', 'sluice_queue_length'];

export function judgeSessions(story: Story): Finding[] {
  const connections = new Map<number, Connection>();
  for (const { connections: all } of story.backends) {
    for (const connection of all) connections.set(connection.id, connection);
  }
  const clients = new Map(story.clients.map((client) => [client.plan.id, client]));
  const lines = linesByClient(story);
  return [
    ...story.stuck.map((client) => found('stuck', `${told(client)} has not ended`)),
    ...story.clients.flatMap((client) => {
      const connection = connectionOf(client, connections);
      const line =
        client.name === 'unix:'
          ? null
          : (lines.get(lineKey(client.plan.listener, client.name)) ?? null);
      return judgeClient(story, client, connection, line);
    }),
    ...[...connections.values()].flatMap((one) => judgeConnection(one, clients)),
    ...story.flows.flatMap((flow) =>
      flow.wrong === null ? [] : [found('datagram', `flow ${flow.plan.id}: ${flow.wrong}`)],
    ),
  ];
}

function judgeClient(
  story: Story,
  client: Client,
  connection: Connection | null,
  line: AccessLine | null,
): Finding[] {
  const findings: Finding[] = [];
  const wrong = (kind: string, detail: string): void => {
    findings.push(found(kind, `${told(client)}: ${detail}`));
  };
  if (client.receiver.wrong !== null) wrong('bytes', client.receiver.wrong);
  const { sender } = client.receiver;
  if (sender !== null && connection === null) wrong('bytes', `connection ${sender} is not there`);
  if (connection !== null) {
    const other = connection.receiver.sender;
    if (other !== null && other !== client.plan.id) {
      wrong('bytes', `its connection ${connection.id} belongs to client ${other}`);
    }
    if (client.receiver.received > connection.sent) wrong('bytes', 'it got more than was sent');
  }
  if (line !== null) {
    const why = mayEnd(line.outcome.cause as Cause, story, client, connection);
    if (why !== null) wrong(`outcome ${line.outcome.cause}`, `${why}: ${JSON.stringify(line)}`);
    if (line.local !== client.target && client.name === client.address) {
      wrong('local address', `${line.local} instead of ${client.target}`);
    }
  }
  const undisturbed = line === null ? !mayHaveBeenDisturbed(story, client) : isFinished(line);
  if (undisturbed) findings.push(...judgeWhole(story, client, connection, line));
  return findings;
}

/** Both ends finished in order, so everything must have arrived. */
function judgeWhole(
  story: Story,
  client: Client,
  connection: Connection | null,
  line: AccessLine | null,
): Finding[] {
  if (client.didReset || story.stuck.includes(client)) return [];
  const because = line === null ? 'nothing disturbed it' : 'it ended as finished';
  const lost = (what: string): Finding[] => [found('lost', `${told(client)}: ${what}; ${because}`)];
  if (client.connectError !== null) return lost(`connect: ${client.connectError}`);
  if (connection === null) {
    return client.sent > 8 || client.plan.listener === CALM ? lost('no backend saw it') : [];
  }
  if (connection.didReset || !connection.finished) return [];
  if (client.receiver.received !== connection.sent) {
    const { received } = client.receiver;
    return lost(`got ${received} of ${connection.sent} (${connection.habit}), saw ${client.seen}`);
  }
  if (connection.receiver.received !== client.sent) {
    return lost(`its backend got ${connection.receiver.received} of ${client.sent}`);
  }
  return [];
}

function judgeConnection(connection: Connection, clients: ReadonlyMap<number, Client>): Finding[] {
  const { receiver, id, backend, told: source } = connection;
  const where = `connection ${id} at ${backend}`;
  if (receiver.wrong !== null) return [found('bytes', `${where}: ${receiver.wrong}`)];
  if (receiver.sender === null) return [];
  const client = clients.get(receiver.sender);
  if (client === undefined) return [found('bytes', `${where}: no client ${receiver.sender}`)];
  if (receiver.received > client.sent) return [found('bytes', `${where}: more than was sent`)];
  if (source !== null && source !== client.name) {
    return [found('prelude', `${where}: the header says ${source} for ${client.name}`)];
  }
  return [];
}

/** The log, the counts, the descriptors, and the end of the daemon. */
export async function judgeDaemon(story: Story): Promise<Finding[]> {
  const { daemon, program } = story;
  const stops = program.acts.some((act) => act.do === 'stop');
  const findings = stops || !daemon.running ? [] : await judgeAtRest(story);
  if (daemon.running) daemon.signal('SIGTERM');
  const exit = await within('the end', daemon.exited, STOP_MS).catch(() => null);
  if (exit === null) findings.push(found('stop', 'it has not ended'));
  else if (exit.code !== 0) {
    findings.push(found('stop', `exit code ${exit.code} ${exit.signal}: ${daemon.complaints}`));
  }
  for (const event of ['internal-error', 'start-failed', 'reload-failed']) {
    for (const record of daemon.eventsNamed(event)) {
      if (event === 'reload-failed' && stops && String(record['problems']) === OVERRULED[0])
        continue;
      findings.push(found(event, JSON.stringify(record)));
    }
  }
  const orders = program.acts.filter((act) => act.do === 'lose-worker').length;
  const lost = daemon.eventsNamed('worker-lost').map(({ detail }) => String(detail));
  const obeyed = lost.filter((detail) => LOST_BY_ORDER.includes(detail));
  const others = lost.filter((detail) => !LOST_BY_ORDER.includes(detail));
  for (const detail of [...others, ...obeyed.slice(orders)]) {
    findings.push(found(`worker-lost: ${detail}`, `a worker was lost: ${detail}`));
  }
  return findings;
}

async function judgeAtRest(story: Story): Promise<Finding[]> {
  const { daemon, descriptors } = story;
  const findings: Finding[] = [];
  const settles = async (kind: string, what: Promise<unknown>): Promise<void> => {
    await what.catch((error) => findings.push(found(kind, String(error))));
  };
  for (const gauge of GAUGES) {
    const zero = daemon.metricSettles(gauge, {}, (sum) => sum === 0, SETTLE_MS);
    await settles(`count ${gauge}`, zero);
  }
  if (findings.length > 0) return findings;
  const left = (await daemon.descriptors()) - descriptors;
  if (left > KEPT_DESCRIPTORS) findings.push(found('descriptors', `${left} more than before`));
  return [...findings, ...(await judgeCounts(story))];
}

/** Rows of what was removed take their counts with them, and a lost worker's are never complete. */
async function judgeCounts(story: Story): Promise<Finding[]> {
  const { daemon, program } = story;
  const removes = program.acts.some(
    (act) => act.do === 'reload' && act.edits.some(({ edit }) => edit.startsWith('remove')),
  );
  if (removes || daemon.eventsNamed('worker-lost').length > 0) return [];
  const findings: Finding[] = [];
  const metrics = await daemon.metrics();
  const accepted = metrics.sum('sluice_accepted_total');
  const ended = metrics.sum('sluice_sessions_total');
  if (accepted !== ended) findings.push(found('counts', `${accepted} accepted, ${ended} ended`));
  for (const cause of REFUSALS) {
    const refused = metrics.sum('sluice_refused_total', { reason: cause });
    const outcome = metrics.sum('sluice_sessions_total', { outcome: cause });
    if (outcome > refused) findings.push(found('counts', `${cause}: ${refused} of ${outcome}`));
  }
  return [...findings, ...(await judgeLines(story, metrics))];
}

/** Each end has its line, but for clients that were turned away: few of them have one. */
async function judgeLines({ daemon, program }: Story, metrics: Exposition): Promise<Finding[]> {
  const ends = (causes: readonly Cause[]): number =>
    causes.reduce(
      (sum, cause) => sum + metrics.sum('sluice_sessions_total', { outcome: cause }),
      0,
    );
  const away = ends(TURNED_AWAY);
  const others = metrics.sum('sluice_sessions_total') - away;
  if (program.access === 'all') await linesAtRest(daemon, others);
  const lines = accessLines(daemon);
  if (program.access === 'off' && lines.length > 0) return [found('access', 'lines, though off')];
  if (program.access !== 'all') return [];
  const findings: Finding[] = [];
  const written = otherLines(daemon);
  const lost = lostLines(daemon);
  if (written + lost < others || (lost === 0 && written > others)) {
    findings.push(found('access', `${written} lines for ${others} ends, ${lost} lost`));
  }
  const told = lines.filter(isTurnedAway);
  const toldOf = told.reduce((sum, { unlogged }) => sum + unlogged, told.length);
  // Those after the last line are reported by the next one, which has no session of its own.
  if (toldOf > away || (told.length + lost === 0 && away > 0)) {
    findings.push(found('access', `lines report ${toldOf} clients of ${away} turned away`));
  }
  return findings;
}

/** Lines come behind the counts. */
async function linesAtRest(daemon: Daemon, expected: number): Promise<void> {
  const reached = (): true | undefined =>
    otherLines(daemon) + lostLines(daemon) >= expected ? true : undefined;
  await eventually('the last access line', reached, LINE_MS).catch(() => {});
}

/** How many lines of clients that were not turned away there are. */
function otherLines(daemon: Daemon): number {
  return accessLines(daemon).filter((line) => !isTurnedAway(line)).length;
}

/** How many lines of any kind the daemon says that it could not write. */
function lostLines(daemon: Daemon): number {
  return daemon.eventsNamed('access-lost').reduce((sum, { count }) => sum + Number(count), 0);
}

function isTurnedAway({ outcome }: AccessLine): boolean {
  return TURNED_AWAY.some((cause) => cause === outcome.cause);
}

function linesByClient(story: Story): Map<string, AccessLine> {
  const tcp = accessLines(story.daemon).filter((line) => !line.listener.startsWith('d'));
  return new Map(tcp.map((line) => [lineKey(line.listener, line.client), line]));
}

/** The kernel gives one port to connections to several addresses. */
function lineKey(listener: string, client: string): string {
  return `${listener} ${client}`;
}

function connectionOf(client: Client, all: ReadonlyMap<number, Connection>): Connection | null {
  const { sender } = client.receiver;
  if (sender !== null) return all.get(sender) ?? null;
  for (const one of all.values()) if (one.receiver.sender === client.plan.id) return one;
  return null;
}

function isFinished(line: AccessLine): boolean {
  return line.outcome.cause === 'finished';
}

function told(client: Client): string {
  return `client ${client.plan.id} of ${client.plan.listener} (${client.name})`;
}

function found(kind: string, detail: string): Finding {
  return { kind, detail };
}
