/**
 * What deviates from the file is told in one form wherever an operator looks: what, by which user,
 * why, since when and until when.
 */
import t, { type Test } from 'tap';
import { askControl } from '../support/control_client.js';
import { type Operated, startOperated } from '../support/ctl.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { serviceText } from '../support/settings.js';

const BACKENDS = 3;
const TIMES = '\\(since \\d{4}-\\d\\d-\\d\\dT[0-9:]{8}Z, until \\d{4}-\\d\\d-\\d\\dT[0-9:]{8}Z\\)';

/** Its account, as all of them begin and end. */
function account(what: string, why: string): RegExp {
  return new RegExp(`${what} by root: ${why} ${TIMES}`);
}

const HELD = account('held \\(at most 7 wait\\)', 'switchover');
const DRAINED = account('drained', 'kernel update');
const WEIGHED = account('weight 50% instead of 4', 'disk is slow');
const LEVELLED = account('log-level debug instead of info', 'it is strange');
const DENIED = account('denied', 'a flood');

async function startDeviating(t: Test): Promise<Operated> {
  const echoes = await startEchoes(t, BACKENDS);
  const operated = await startOperated(t, {
    toml: serviceText({
      name: 'app',
      backends: echoes.map(({ address }, index) => {
        return { name: `b${index}`, address, lines: 'weight = 4' };
      }),
    }),
  });
  await operated.daemon.backendsUp('app', BACKENDS);
  const orders: readonly (readonly [string, object, string])[] = [
    ['drain', { backends: ['app/b0'] }, 'kernel update'],
    ['weight', { backends: ['app/b1'], value: '50%' }, 'disk is slow'],
    ['hold', { pool: 'app', max: 7 }, 'switchover'],
    ['log-level', { level: 'debug' }, 'it is strange'],
    ['deny', { client: '192.0.2.0/24' }, 'a flood'],
  ];
  for (const [path, body, because] of orders) {
    const asked = { ...body, for: '1h', because };
    const { status } = await askControl(operated.socket, 'POST', `/v1/${path}`, asked);
    t.equal(status, 200, path);
  }
  return operated;
}

t.test('every deviation is told with its user, its reason and its times', async (t) => {
  const operated = await startDeviating(t);
  const { daemon, socket, ctl } = operated;

  const text = (await daemon.get('/health?format=text')).body;
  for (const told of [HELD, DRAINED, WEIGHED, LEVELLED, DENIED]) t.match(text, told, '/health');
  const page = JSON.parse((await daemon.get('/health')).body);
  const root = { by: 'root', since: /Z$/, until: /Z$/ };
  t.match(page.overrides, [
    { ...root, kind: 'log-level', value: 'debug', replaced: 'info', because: 'it is strange' },
    { ...root, kind: 'deny', value: '192.0.2.0/24', because: 'a flood' },
  ]);
  const [pool] = page.pools;
  t.match(pool, { overrides: [{ ...root, kind: 'hold', because: 'switchover' }], reason: HELD });
  t.match(pool.backends[0].overrides, [{ ...root, kind: 'drain' }]);

  t.match((await ctl('pools')).stdout, HELD, 'pools');
  t.match((await ctl('backends')).stdout, DRAINED, 'backends');
  t.match((await ctl('backends')).stdout, WEIGHED, 'backends');
  t.match((await ctl('why', 'app/b0')).stdout, DRAINED, 'why');
  const ready = await daemon.get('/ready');
  t.match(ready, { status: 200, body: HELD });
  const status = (await ctl('status')).stdout;
  for (const told of [HELD, DRAINED, WEIGHED, LEVELLED, DENIED]) t.match(status, told, 'status');
  t.equal(status.match(/kernel update/g)?.length, 1, 'a deviation is told once');
  t.equal(status.match(/switchover/g)?.length, 1);

  const held = await askControl(socket, 'GET', '/v1/explain?listener=app&client=198.51.100.1');
  t.match((held.body as { outcome: string }).outcome, HELD);
  const denied = await askControl(socket, 'GET', '/v1/explain?listener=app&client=192.0.2.9');
  const { outcome } = denied.body as { outcome: string };
  t.match(outcome, /^It is refused: 192\.0\.2\.0\/24 is denied by root: /);
  t.match(outcome, DENIED);

  const metrics = await daemon.metrics();
  for (const kind of ['drain', 'weight', 'hold', 'log-level', 'deny']) {
    t.equal(metrics.sum('sluice_overrides', { kind }), 1, `metrics: ${kind}`);
    const since = metrics.sum('sluice_overrides_oldest_timestamp_seconds', { kind });
    t.ok(Math.abs(Date.now() / 1000 - since) < 600, `metrics: since when there is a ${kind}`);
  }
  for (const kind of ['cap', 'maintain']) {
    t.equal(metrics.sum('sluice_overrides', { kind }), 0, `metrics: ${kind}`);
  }
  t.equal(metrics.sum('sluice_pool_held', { pool: 'app' }), 1);
  t.equal(metrics.sum('sluice_pool_backends', { pool: 'app', state: 'drained' }), 1);

  const names = { backends: ['app/b0'] };
  t.equal((await askControl(socket, 'POST', '/v1/ready', names)).status, 200);
  t.equal((await askControl(socket, 'POST', '/v1/release', { pool: 'app' })).status, 200);
  const after = JSON.parse((await daemon.get('/health')).body).pools[0];
  t.match(after, { reason: '', overrides: [] });
  const then = await daemon.metrics();
  t.equal(then.sum('sluice_pool_held', { pool: 'app' }), 0);
  t.equal(then.sum('sluice_pool_backends', { pool: 'app', state: 'drained' }), 0);
  t.equal(then.sum('sluice_overrides', { kind: 'drain' }), 0);
  t.notMatch((await ctl('status')).stdout, /drained|held/, 'what has ended is told no more');
});
