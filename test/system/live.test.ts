/** Server-sent events of the control API: what happens, as it happens, for however many look. */
import { connect } from 'node:net';
import t from 'tap';
import { MAX_ADMIN_CONNECTIONS } from '../../src/admin/server.js';
import { askControl } from '../support/control_client.js';
import { type Operated, startOperated } from '../support/ctl.js';
import { parseAddress } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { openStream } from '../support/event_stream.js';
import { serviceText } from '../support/settings.js';

/** As docs/operating.md says. */
const MAX_FOLLOWERS = 56;

const service = (count: number): string =>
  serviceText({
    name: 'app',
    health: 'probe = "none"',
    backends: Array.from({ length: count }, (_, index) => ({
      name: `b${index}`,
      address: `127.0.0.1:${index + 1}`,
    })),
  });

async function order({ socket }: Operated, path: string, body: object): Promise<void> {
  const answer = await askControl(socket, 'POST', `/v1/${path}`, body);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
}

t.test('events come as they happen, and a torn stream goes on where it ended', async (t) => {
  const operated = await startOperated(t, { toml: service(2) });
  const { daemon, socket } = operated;
  const all = await openStream(t, { socketPath: socket }, '/v1/events');
  t.match(all, { status: 200, type: 'text/event-stream' });
  const some = await openStream(t, { socketPath: socket }, '/v1/events?event=override-ended');
  await order(operated, 'drain', { backends: ['app/b0'], because: 'disk' });
  const set = await all.events.first('the order', ({ name }) => name === 'override-set');
  t.match(set, { data: { event: 'override-set', backend: 'b0', because: 'disk', by: 'root' } });
  all.close();
  await order(operated, 'ready', { backends: ['app/b0'] });
  await some.events.first('its end', ({ name }) => name === 'override-ended');
  t.equal(some.events.past.length, 1, 'only what was asked for');

  const { host, port } = parseAddress(String((await daemon.event('admin-listening'))['address']));
  const torn = { 'last-event-id': set.id ?? '' };
  const again = await openStream(t, { host, port }, '/v1/events', torn);
  await again.events.first('what was missed', ({ name }) => name === 'override-ended');
  t.notOk(
    again.events.past.some(({ name }) => name === 'override-set' || name === 'lost'),
    'and not what was known',
  );
  const other = await openStream(t, { host, port }, '/v1/events', { 'last-event-id': '999999' });
  await other.events.first('all of a daemon that is new', ({ name }) => name === 'ready');
  const unknown = await openStream(t, { host, port }, '/v1/events?event=nothing');
  t.match(unknown, { status: 404, type: 'application/problem+json' });
});

t.test('the last hour is answered in points, of all pools or of one that there is', async (t) => {
  const { socket } = await startOperated(t, { toml: service(1) });
  const of = (query: string) => askControl(socket, 'GET', `/v1/hour${query}`);
  const point = await eventually('a point', async () => {
    const { body } = await of('');
    return (body as { items: readonly object[] }).items.at(0);
  });
  const figures = { sessions: 0, accepted_per_second: 0, refused_per_second: 0 };
  t.match(point, { ...figures, time: /^\d{4}-.*Z$/, first_byte_median_ms: null });
  t.match(await of('?pool=app'), { status: 200, body: { items: Array } });
  t.match(await of('?pool=ap'), { status: 404, body: { detail: /did you mean app\?/ } });
});

t.test('a screen gets a look at once and with each change, of the backends it means', async (t) => {
  const operated = await startOperated(t, { toml: service(300) });
  const at = { socketPath: operated.socket };
  const screen = await openStream(t, at, '/v1/live?filter=B29&sort=name&limit=5');
  const first = await screen.events.first('a look', ({ name }) => name === 'look');
  t.match(first.data, {
    status: { phase: 'serving', backends: 300 },
    pools: [{ pool: { name: 'app' }, listeners: ['app'], states: [{ state: 'up', count: 300 }] }],
    matched: 11,
    backends: [{ name: 'b29' }, { name: 'b290' }, {}, {}, { name: 'b293' }],
  });
  t.ok(screen.events.past.length < 3);
  await screen.events.first('what was told before', ({ name }) => name === 'told');
  await order(operated, 'drain', { backends: ['app/b29'] });
  const told = await screen.events.first(
    'the order',
    ({ name, data }) => name === 'told' && JSON.stringify(data).includes('override-set'),
  );
  t.match(told.data, [{ event: 'override-set', backend: 'b29' }]);
  await screen.events.first(
    'it is drained',
    ({ name, data }) => name === 'look' && JSON.stringify(data).includes('"state":"drained"'),
  );
  const drained = await askControl(operated.socket, 'GET', '/v1/live?state=drained');
  t.match(drained.body, { matched: 1, overrides: [{ backend: 'app/b29', kind: 'drain' }] });
});

t.test('a follower that does not read is cut with a line, and others lose nothing', async (t) => {
  const operated = await startOperated(t, { toml: service(250) });
  const { daemon, socket } = operated;
  const deaf = connect(socket);
  t.teardown(() => deaf.destroy());
  deaf.pause();
  deaf.write('GET /v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
  const good = await openStream(t, { socketPath: socket }, '/v1/events');
  const cut = daemon.event('follower-cut');
  let isCut = false;
  void cut.then(() => {
    isCut = true;
  });
  const because = 'x'.repeat(490);
  let orders = 0;
  for (; !isCut && orders < 50; orders++) {
    const isDrain = orders % 2 === 0;
    // Not any event of the last one: that a drained backend is empty is told later.
    const event = isDrain ? 'override-set' : 'override-ended';
    const next = good.events.next(`the last ${event}`, ({ name, data }) => {
      return name === event && JSON.stringify(data).includes('"b249"');
    });
    const body = { backends: ['app/*'] };
    if (isDrain) await order(operated, 'drain', { ...body, because });
    else await order(operated, 'ready', body);
    await next;
  }
  t.match(await cut, { detail: /^\d+ bytes waited for it$/ });
  t.notOk(good.events.past.some(({ name }) => name === 'lost'));
  const of = (event: string) => good.events.past.filter(({ name }) => name === event).length;
  t.equal(of('override-set'), 250 * Math.ceil(orders / 2));
  t.equal(of('override-ended'), 250 * Math.floor(orders / 2));
});

t.test('followers leave room for requests, and none is kept that has gone', async (t) => {
  const { socket, ctl } = await startOperated(t, { toml: service(1) });
  const at = { socketPath: socket };
  const all = await Promise.all(
    Array.from({ length: MAX_ADMIN_CONNECTIONS }, () => openStream(t, at, '/v1/live')),
  );
  const refused = all.filter(({ status }) => status === 503);
  t.equal(refused.length, MAX_ADMIN_CONNECTIONS - MAX_FOLLOWERS);
  t.equal((await ctl('status')).code, 0);
  for (const one of all) one.close();
  await eventually('there is room again', async () => {
    const one = await openStream(t, at, '/v1/live');
    one.close();
    return one.status === 200 ? true : undefined;
  });
});
