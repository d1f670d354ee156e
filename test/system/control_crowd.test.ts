/**
 * More clients of the control API and of the pages in one instant than are served at a time: each
 * has an answer, and no session notices.
 */
import { createConnection, type NetConnectOpts, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { MAX_ADMIN_CONNECTIONS } from '../../src/admin/server.js';
import { Client } from '../../src/cli/ctl/client.js';
import { startOperated } from '../support/ctl.js';
import { ENGINE, parseAddress } from '../support/daemon.js';
import { nowMs, within } from '../support/deadline.js';
import { openStream } from '../support/event_stream.js';
import { LatencyWatch } from '../support/load/latency_watch.js';
import { serviceText } from '../support/settings.js';

/** As docs/operating.md says. */
const MAX_FOLLOWERS = 56;

const CROWDS = [300, 600];
const ORDERS = 100;
const FLOOD_MS = 4_000;
const LOOKS = ['/v1/status', '/v1/backends'];
/** What probes of Kubernetes, Prometheus and people ask over HTTP. */
const PAGES = ['/healthz', '/ready', '/health', '/metrics', '/v1/status'];
/** What a session may wait longer than one without a proxy; all shares two cores here. */
const MOST_ADDED_MS = 1_000;

async function bed(t: Test) {
  const watch = await LatencyWatch.start(t);
  const operated = await startOperated(t, {
    toml: serviceText({
      name: 'app',
      health: 'probe = "none"',
      backends: ['a', 'b'].map((name, index) => ({
        name,
        address: `127.0.0.${index + 1}:${watch.echoPort}`,
      })),
    }),
  });
  const { daemon, socket } = operated;
  await watch.open([await daemon.port('app')]);
  const http = parseAddress(String((await daemon.event('admin-listening'))['address']));
  const places: readonly Place[] = [
    { name: 'the socket', at: { path: socket }, targets: LOOKS },
    { name: 'HTTP', at: http, targets: PAGES },
  ];
  return { ...operated, watch, places };
}

interface Place {
  readonly name: string;
  readonly at: NetConnectOpts;
  readonly targets: readonly string[];
}

async function unharmed(t: Test, watch: LatencyWatch): Promise<void> {
  const { worstMs, straightMs, answers, broken } = await watch.take();
  t.comment(`sessions: worst ${Math.round(worstMs)} ms, straight ${Math.round(straightMs)} ms`);
  t.equal(broken, 0);
  t.ok(answers > 0);
  t.ok(worstMs - straightMs < MOST_ADDED_MS, `a session waited for ${Math.round(worstMs)} ms`);
}

t.test(`${ENGINE}: each of a crowd that asks in one instant has an answer`, async (t) => {
  const { watch, places } = await bed(t);
  for (const { name, at, targets } of places) {
    for (const crowd of CROWDS) {
      const beganMs = nowMs();
      const all = Array.from({ length: crowd }, (_, n) => look(at, targets[n % targets.length]));
      const answers = await within(`the answers of ${name}`, Promise.all(all));
      t.comment(`${crowd} at ${name}: ${tally(answers)} in ${Math.round(nowMs() - beganMs)} ms`);
      t.same(
        answers.filter((text) => !isAnswer(text)),
        [],
        `${crowd} at ${name}`,
      );
      t.ok(answers.filter(isGood).length >= MAX_ADMIN_CONNECTIONS);
    }
  }
  await unharmed(t, watch);
});

t.test(`${ENGINE}: orders beside as many followers as may be are all carried out`, async (t) => {
  const { socket, watch, places } = await bed(t);
  const at = { socketPath: socket };
  const followers = await Promise.all(
    Array.from({ length: MAX_FOLLOWERS }, () => openStream(t, at, '/v1/events')),
  );
  t.ok(followers.every(({ status }) => status === 200));
  const body = JSON.stringify({ backends: ['app/a'], because: 'a burst' });
  const head = `Content-Length: ${body.length}\r\n\r\n${body}`;
  const [place] = places;
  if (place === undefined) throw new Error('there is the socket');
  const raw = Array.from({ length: ORDERS }, () => ask(place.at, 'POST', '/v1/drain', head));
  const answers = await within('an answer to each order', Promise.all(raw));
  t.comment(`${ORDERS} orders: ${tally(answers)}`);
  t.same(
    answers.filter((text) => !isAnswer(text)),
    [],
  );

  // `sluice ctl` asks again what was not done.
  const client = new Client(socket);
  const done = Array.from({ length: ORDERS }, () => client.post('/ready', { backends: ['app/a'] }));
  t.equal((await within('every order', Promise.all(done))).length, ORDERS);
  t.equal((await client.get<{ items: readonly object[] }>('/overrides')).items.length, 0);
  for (const { events } of followers) {
    await events.first('the drain', ({ name }) => name === 'override-set');
  }
  await unharmed(t, watch);
});

t.test(`${ENGINE}: halves of requests that come again and again hold up no other`, async (t) => {
  const { watch, places } = await bed(t);
  for (const { name, at, targets } of places) {
    const flood = new Flood(at, MAX_ADMIN_CONNECTIONS);
    const untilMs = nowMs() + FLOOD_MS;
    const tookMs: number[] = [];
    for (let asked = 0; nowMs() < untilMs; asked++) {
      const beganMs = nowMs();
      const text = await within('an answer', look(at, targets[asked % targets.length]));
      tookMs.push(nowMs() - beganMs);
      if (!isGood(text)) t.fail(`${name}: ${JSON.stringify(text.slice(0, 200))}`);
    }
    flood.end();
    tookMs.sort((a, b) => a - b);
    const [median, worst] = [0.5, 1].map((share) =>
      Math.round(tookMs[Math.ceil(share * tookMs.length) - 1] ?? 0),
    );
    t.comment(
      `${name}: ${flood.count} halves; ${tookMs.length} looks, median ${median} ms, worst ${worst} ms`,
    );
    t.ok(flood.count > 2 * MAX_ADMIN_CONNECTIONS, 'the flood goes on');
    t.ok(flood.isAnswered, 'each half has a sentence');
  }
  await unharmed(t, watch);
});

/** Clients that send half a request, and come again as soon as they are sent away. */
class Flood {
  readonly #open = new Set<Socket>();
  readonly #at: NetConnectOpts;
  #isOver = false;
  count = 0;
  isAnswered = true;

  constructor(at: NetConnectOpts, clients: number) {
    this.#at = at;
    for (let n = 0; n < clients; n++) this.#come();
  }

  end(): void {
    this.#isOver = true;
    for (const socket of this.#open) socket.destroy();
  }

  #come(): void {
    const socket = createConnection(this.#at);
    this.#open.add(socket);
    this.count++;
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (piece) => {
      text += piece.toString('latin1');
    });
    socket.on('close', () => {
      this.#open.delete(socket);
      if (this.#isOver) return;
      this.isAnswered &&= /^HTTP\/1\.1 503 .*\r\nretry-after: 1\r\n/s.test(text);
      this.#come();
    });
    socket.write('GET /v1/status HTTP/1.1\r\nHost: loc');
  }
}

function look(at: NetConnectOpts, target = '/v1/status'): Promise<string> {
  return ask(at, 'GET', target, '\r\n');
}

/** All that comes until the end of the connection, or its error. */
function ask(at: NetConnectOpts, method: string, target: string, rest: string): Promise<string> {
  const socket = createConnection(at);
  socket.write(`${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${rest}`);
  const pieces: Buffer[] = [];
  let failure = '';
  return new Promise((resolve) => {
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.on('error', ({ message }) => {
      failure = message;
    });
    socket.on('close', () => resolve(Buffer.concat(pieces).toString() || `nothing: ${failure}`));
  });
}

function isGood(text: string): boolean {
  return text.startsWith('HTTP/1.1 200 ');
}

/** What it asked for, or that it is to ask again. */
function isAnswer(text: string): boolean {
  return isGood(text) || /^HTTP\/1\.1 503 .*\r\nretry-after: 1\r\n/s.test(text);
}

function tally(answers: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of answers) {
    const [first = ''] = text.split('\r\n', 1);
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${count} × ${what}`).join(', ');
}
