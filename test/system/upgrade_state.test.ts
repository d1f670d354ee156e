/** What a process knows of backends holds in the one that takes its place. */
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import t, { type Test } from 'tap';
import { startOperated } from '../support/ctl.js';
import { eventually, nowMs } from '../support/deadline.js';
import { httpGet } from '../support/http_get.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText, QUICK_HEALTH } from '../support/settings.js';
import type { Upgraded } from '../support/upgrades.js';

const WEBS = 12;
const INTERVAL_MS = 2_000;
/** Two probes of one backend are never closer: there is room for a machine that has much to do. */
const CLOSE_MS = 0.35 * INTERVAL_MS;
const EJECTION_MS = 600_000;
const SLOW_START_MS = 600_000;

const WEB_HEALTH = `probe = "http"
path = "/well"
interval = "${INTERVAL_MS}ms"
fast_interval = "100ms"
down_interval = "${INTERVAL_MS}ms"
jitter = 0
fall = 2
rise = 2
`;

interface BackendRow {
  readonly name: string;
  readonly state: string;
  readonly reason: string;
  readonly since: string;
  readonly weight_effective: number;
  readonly eligible: boolean;
}

/** A web server that remembers when it was probed, and how many clients it had. */
class Web {
  readonly probedMs: number[] = [];
  clients = 0;
  state: 'well' | 'ill' = 'well';
  port = 0;

  static async start(t: Test): Promise<Web> {
    const web = new Web();
    const server = createServer(({ url }, response) => {
      const isProbe = url === '/well';
      if (isProbe) web.probedMs.push(nowMs());
      else web.clients++;
      response.statusCode = isProbe && web.state === 'ill' ? 503 : 200;
      response.end('web');
    });
    t.teardown(() => new Promise((resolve) => server.close(resolve)));
    web.port = await freePort();
    await new Promise<void>((resolve) => server.listen(web.port, '127.0.0.1', resolve));
    return web;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }
}

/** Accepts every connection and resets it; counts them. */
async function startResetting(t: Test) {
  const met = { address: '', sessions: 0 };
  const server = createTcpServer((socket) => {
    met.sessions++;
    socket.on('error', () => {});
    socket.resetAndDestroy();
  });
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  met.address = `127.0.0.1:${port}`;
  return met;
}

async function start(t: Test) {
  const webs = await Promise.all(Array.from({ length: WEBS }, () => Web.start(t)));
  const resetting = await startResetting(t);
  const [echo, slow, other] = await startEchoes(t, 3);
  if (echo === undefined || slow === undefined || other === undefined) throw new Error('three');
  const [web, out] = [await freePort(), await freePort()];
  const toml =
    listenerText({ pool: 'web', bind: `127.0.0.1:${web}` }) +
    poolText({
      name: 'web',
      policy: 'round-robin',
      backends: webs.map(({ address }, index) => ({ address, name: `w${index}` })),
      health: WEB_HEALTH,
    }) +
    listenerText({ pool: 'out', bind: `127.0.0.1:${out}` }) +
    poolText({
      name: 'out',
      policy: 'round-robin',
      backends: [
        { address: resetting.address, name: 'resets' },
        { address: echo.address, name: 'echo' },
      ],
      health: 'probe = "none"',
      lines: 'retries = 1',
      sections: `[pools.out.outlier]
consecutive_failures = 3
base_ejection = "${EJECTION_MS}ms"
max_ejection = "${2 * EJECTION_MS}ms"
`,
    }) +
    listenerText({ pool: 'slow', bind: '127.0.0.1:0' }) +
    poolText({
      name: 'slow',
      backends: [
        { address: slow.address, name: 'slow', lines: 'weight = 100' },
        { address: other.address, name: 'other', lines: 'weight = 100' },
      ],
      lines: `slow_start = "${SLOW_START_MS}ms"`,
      health: QUICK_HEALTH,
    });
  const operated = await startOperated(t, { toml, workers: 2 });
  const row = async (backend: string): Promise<BackendRow> => {
    const [pool = '', name = ''] = backend.split('/');
    const { items } = await operated.ask<{ readonly items: readonly BackendRow[] }>(
      'backends',
      pool,
    );
    const found = items.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no ${backend}`);
    return found;
  };
  return { ...operated, webs, web, out, resetting, slow, row };
}

t.test('verdicts, their schedule, ejections and slow start go on over an upgrade', async (t) => {
  const { daemon, ask, webs, web, out, resetting, slow, row } = await start(t);
  await Promise.all([daemon.backendsUp('web', WEBS), daemon.backendsUp('slow', 2)]);
  const [ill, ...well] = webs;
  if (ill === undefined) throw new Error('twelve');
  ill.state = 'ill';
  await slow.kill();
  const down = (name: string) => daemon.event('backend-down', ({ backend }) => backend === name);
  await Promise.all(['w0', 'slow'].map(down));
  await slow.start();
  await daemon.nextEvent('backend-up', ({ backend }) => backend === 'slow');
  await eventually('three resets', async () => {
    await exchangeOnce({ port: out });
    return daemon.eventsNamed('backend-ejected').length > 0 || undefined;
  });
  const before = { ill: await row('web/w0'), slow: await row('slow/slow') };
  const [{ sessions }, clients] = [resetting, ill.clients];
  const ejectedMs = nowMs();
  await ask<Upgraded>('upgrade');
  const gets = webs.map(() => httpGet(`http://127.0.0.1:${web}/`));
  t.ok((await Promise.all(gets)).every(({ status }) => status === 200));
  for (let i = 0; i < 6; i++) t.equal(await exchangeOnce({ port: out }), null);

  const after = { ill: await row('web/w0'), slow: await row('slow/slow') };
  t.match(after.ill, { state: 'down', since: before.ill.since, reason: before.ill.reason });
  t.equal(ill.clients, clients, 'a backend that is down gets no client');
  const ejected = await row('out/resets');
  t.match(ejected, { state: 'ejected', reason: /^3 failures in a row in real traffic; out for / });
  const leftS = Number(/out for (\d+) s/.exec(ejected.reason)?.[1]);
  t.ok(leftS * 1_000 <= EJECTION_MS - (nowMs() - ejectedMs) + 2_000, `${leftS} s are left`);
  t.equal(resetting.sessions, sessions, 'a backend that is ejected gets no client');
  t.equal(before.slow.weight_effective, 10);
  t.equal(after.slow.weight_effective, 10, 'slow start goes on');
  t.equal((await row('slow/other')).weight_effective, 100);

  const { history } = await ask<{ readonly history: readonly { readonly event: string }[] }>(
    'why',
    'web/w0',
  );
  t.ok(history.filter(({ event }) => event === 'backend-down').length === 1, 'why it is down');
  t.equal(history[0]?.event, 'backend-added');
  const { items } = await ask<{ readonly items: readonly { readonly event: string }[] }>('events');
  const order = items
    .map(({ event }) => event)
    .filter((event) => /^(ready|upgraded|starting)$/.test(event));
  t.same(order, ['starting', 'ready', 'starting', 'ready'], 'what has happened, in its order');

  const probes = webs.map(({ probedMs }) => probedMs.length);
  await eventually(
    'each is probed on',
    () =>
      webs.every(({ probedMs }, index) => probedMs.length > (probes[index] ?? 0) + 1) || undefined,
  );
  // The first interval with a verdict is a part of one.
  const gaps = well.flatMap(({ probedMs: [, , ...ms] }) =>
    ms.slice(1).map((at, i) => at - (ms[i] ?? 0)),
  );
  t.ok(gaps.length >= well.length);
  t.same(
    gaps.filter((gap) => gap < CLOSE_MS),
    [],
    'no backend is probed twice',
  );
  t.same(daemon.eventsNamed('upgrade-in-part'), []);
  ill.state = 'well';
  await daemon.nextEvent('backend-up', ({ backend }) => backend === 'w0');
});
