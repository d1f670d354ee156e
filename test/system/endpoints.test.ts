/**
 * Every endpoint of the control API does what it says, to the sessions of the engine under test.
 * The list is the daemon's own document: an endpoint that this file does not ask makes it fail.
 */
import { existsSync } from 'node:fs';
import t, { type Test } from 'tap';
import { askControl } from '../support/control_client.js';
import { type Operated, startOperated } from '../support/ctl.js';
import { eventually } from '../support/deadline.js';
import { openStream } from '../support/event_stream.js';
import { isValid } from '../support/json_schema.js';
import { type EchoBackend, startEchoes } from '../support/load/echo_backend.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import type { Upgraded } from '../support/upgrades.js';
import { tryDial, type Wire } from '../support/wire.js';

/** As long as an upgrade may take: a whole program starts. */
const LIMIT_MS = 60_000;

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: unknown }>> }>
  >;
}

interface Pool {
  readonly sessions: number;
  readonly queue_length: number;
}

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

/** A pool of two in turns, and what has been asked of its daemon. */
class Bed {
  readonly asked = new Set<string>();
  readonly #t: Test;
  readonly #operated: Operated;
  readonly #paths: Paths;
  readonly #echoes: readonly EchoBackend[];

  constructor(t: Test, operated: Operated, document: unknown, echoes: readonly EchoBackend[]) {
    this.#t = t;
    this.#operated = operated;
    this.#paths = (document as { readonly paths: Paths }).paths;
    this.#echoes = echoes;
  }

  get endpoints(): readonly string[] {
    return Object.entries(this.#paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  get socket(): string {
    return this.#operated.socket;
  }

  async get<T>(name: string, query = ''): Promise<T> {
    return (await this.#ask('GET', `/v1/${name}`, query)) as T;
  }

  async post<T>(name: string, body: object): Promise<T> {
    return (await this.#ask('POST', `/v1/${name}`, '', body)) as T;
  }

  /** What is answered has the shape that the document says, and was no refusal. */
  async #ask(method: string, path: string, query: string, body?: object): Promise<unknown> {
    const answer = await askControl(this.socket, method, path + query, body, {}, LIMIT_MS);
    const schema = this.#paths[path]?.[method.toLowerCase()]?.responses['200'];
    this.#t.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    this.#t.ok(isValid(schema?.content['application/json']?.schema, answer.body), path);
    this.asked.add(`${method} ${path}`);
    return answer.body;
  }

  /** null: the client was turned away. */
  async client(localAddress = '127.0.0.1'): Promise<Wire | null> {
    const wire = await tryDial({ port: await this.#operated.daemon.port('app'), localAddress });
    if (typeof wire === 'string') return null;
    this.#t.teardown(() => wire.socket.destroy());
    return wire;
  }

  /** A session that relays; null where its client was turned away. */
  async session(localAddress?: string): Promise<Wire | null> {
    const wire = await this.client(localAddress);
    if (wire === null) return null;
    const answered = wire.send('x').then(() => wire.read(1));
    return answered.then(
      () => wire,
      () => null,
    );
  }

  /** Sessions end a little after their clients. */
  async rests(): Promise<void> {
    await this.#poolHas('no sessions', ({ sessions }) => sessions === 0);
  }

  async queues(length: number): Promise<void> {
    await this.#poolHas('they wait', ({ queue_length }) => queue_length === length);
  }

  async #poolHas(what: string, holds: (pool: Pool) => boolean): Promise<void> {
    await eventually(what, async () => {
      const { items } = await this.get<{ readonly items: readonly Pool[] }>('pools');
      return items.every(holds) ? true : undefined;
    });
  }

  /** Which backend each of the next `count` sessions gets, as counts of each. */
  async shares(count: number): Promise<readonly number[]> {
    const before = this.#echoes.map(({ served }) => served);
    for (let n = 0; n < count; n++) (await this.session())?.socket.destroy();
    return this.#echoes.map(({ served }, at) => served - (before[at] ?? 0));
  }
}

async function startBed(t: Test): Promise<Bed> {
  const [echoes, port] = [await startEchoes(t, 2), await freePort()];
  const operated = await startOperated(t, {
    workers: 1,
    // A port of its own, which an upgrade keeps.
    toml:
      listenerText({ pool: 'app', bind: `0.0.0.0:${port}` }) +
      poolText({
        name: 'app',
        policy: 'round-robin',
        backends: echoes.map(({ address }, at) => ({ name: `b${at}`, address })),
      }),
  });
  await operated.daemon.backendsUp('app', 2);
  const { body } = await askControl(operated.socket, 'GET', '/v1/openapi.json');
  return new Bed(t, operated, body, echoes);
}

async function looks(t: Test, bed: Bed): Promise<void> {
  const wire = await bed.session();
  t.match(await bed.get('status'), { phase: 'serving', sessions_active: 1 });
  t.match(await bed.get('listeners'), { items: [{ name: 'app', state: 'open', sessions: 1 }] });
  t.match(await bed.get('pools'), { items: [{ name: 'app', eligible: 2, sessions: 1 }] });
  const backends = await bed.get<{ items: { active: number }[] }>('backends');
  t.same(backends.items.map(({ active }) => active).sort(), [0, 1]);
  t.match(await bed.get('sessions'), { items: [{ pool: 'app', state: 'relaying' }] });
  t.match(await bed.get('clients'), { items: [{ client: '127.0.0.1', sessions: 1 }] });
  const explained = await bed.get('explain', '?listener=app&client=192.0.2.1');
  t.match(explained, { chosen: /^app\/b[01]$/ });
  const why = await bed.get('why', '?backend=app/b0');
  const history = [{ event: 'backend-added' }, { event: 'backend-up' }];
  t.match(why, { backend: { state: 'up' }, history });
  t.match(await bed.get('events', '?event=backend-up'), { items: [{}, {}] });
  t.match(await bed.get('live'), { matched: 2, pools: [{ pool: { name: 'app', sessions: 1 } }] });
  t.match(await bed.get('hour', '?pool=app'), { items: Array });
  t.match(await bed.get('discovery'), { items: [] });
  wire?.socket.destroy();
}

async function orders(t: Test, bed: Bed): Promise<void> {
  const b0 = { backends: ['app/b0'] };
  await bed.post('drain', b0);
  t.same(await bed.shares(4), [0, 4], 'drained');
  await bed.post('ready', b0);
  t.same(await bed.shares(4), [2, 2], 'ready');
  await bed.post('weight', { ...b0, value: 0 });
  t.same(await bed.shares(4), [0, 4], 'of no weight');
  t.match(await bed.get('overrides'), { items: [{ backend: 'app/b0', kind: 'weight', value: 0 }] });
  await bed.post('reset', b0);
  t.same(await bed.shares(4), [2, 2], 'as in the file');
  await bed.post('maintain', b0);
  t.same(await bed.shares(4), [0, 4], 'in maintenance');
  await bed.rests();
  await bed.post('cap', { backends: ['app/b1'], value: 1 });
  const only = await bed.session();
  t.equal(await bed.session(), null, 'a second one has no place');
  only?.socket.destroy();
  await bed.post('reset', { backends: ['app/*'] });

  await bed.post('log-level', { level: 'warn' });
  await bed.post('log-level', { level: 'info' });
  t.match(await bed.post('reload', { dry_run: true }), { dry_run: true, added: [], removed: [] });
}

async function clientsFeelIt(t: Test, bed: Bed): Promise<void> {
  await bed.rests();
  const killed = await bed.session();
  t.match(await bed.post('kill', { listener: 'app' }), { killed: 1 });
  t.ok(await killed?.wasReset());

  await bed.post('deny', { client: '127.0.0.9' });
  t.equal(await bed.session('127.0.0.9'), null, 'denied');
  await bed.post('admit', { client: '127.0.0.9' });
  t.ok(await bed.session('127.0.0.9'), 'admitted');

  await bed.post('hold', { pool: 'app' });
  const waits = await bed.client();
  await waits?.send('x');
  await bed.queues(1);
  await bed.post('release', { pool: 'app' });
  t.equal((await waits?.read(1))?.toString(), 'x', 'and is served then');
}

t.test('every endpoint of the document does what it says', async (t) => {
  const bed = await startBed(t);
  await looks(t, bed);
  await orders(t, bed);
  await clientsFeelIt(t, bed);

  for (const path of ['/v1/live', '/v1/events']) {
    const from = { 'last-event-id': '1' };
    const stream = await openStream(t, { socketPath: bed.socket }, path, from);
    t.match(stream, { status: 200, type: 'text/event-stream' });
    await stream.events.first(path, () => true);
    stream.close();
  }
  const before = (await bed.get<{ pid: number }>('status')).pid;
  const { pid } = await bed.post<Upgraded>('upgrade', {});
  t.not(pid, before, 'another process');
  t.ok(existsSync(`/proc/${pid}`));
  t.equal((await bed.get<{ pid: number }>('status')).pid, pid);
  t.ok(await bed.session(), 'which serves');
  t.same([...bed.asked].sort(), [...bed.endpoints].sort(), 'each was asked');
});
