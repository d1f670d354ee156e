/** The admin endpoint over real sockets: what it answers. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { startAdmin } from '../../src/admin/http.js';
import { plainAnswer } from '../../src/admin/routes.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { fakeViews } from './fake_views.js';
import { depsOf, raw, served } from './site.js';

t.test('/healthz and /ready say ok, or 503 with every reason', async (t) => {
  const { views, ask } = await served(t);
  for (const path of ['/healthz', '/ready']) {
    const good = await ask(path);
    t.equal(good.status, 200);
    t.equal(await good.text(), 'ok\n');
  }
  views.liveProblems = ['worker 1 has not answered for 12 s'];
  views.readyProblems = ['pool main has no eligible backend', 'sluice stops'];
  const dead = await ask('/healthz');
  t.equal(dead.status, 503);
  t.equal(await dead.text(), 'worker 1 has not answered for 12 s\n');
  const notReady = await ask('/ready');
  t.equal(notReady.status, 503);
  t.equal(await notReady.text(), 'pool main has no eligible backend\nsluice stops\n');
});

t.test('/health is JSON in snake case with times as text', async (t) => {
  const answer = await (await served(t)).ask('/health');
  t.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
  t.equal(answer.headers.get('cache-control'), 'no-store');
  const health = JSON.parse(await answer.text());
  t.match(health, {
    phase: 'serving',
    now: '2026-03-01T12:00:00.000Z',
    config_hash: '3fa9c1d2',
    traffic: { sessions_active: 12, bytes_in_total: 1e6 },
    pools: [{ backends: [{ weight_effective: 1, last_probe: { latency_ms: 1.25 } }, {}, {}, {}] }],
  });
  t.equal(health.pools[0].backends[3].last_probe, null);
  t.notOk(JSON.stringify(health).includes('allMs'));
});

t.test('/health is text for clients that ask for it', async (t) => {
  const { ask } = await served(t);
  const accepts = [{ accept: 'text/plain' }, { accept: 'application/json, text/plain' }, {}];
  const types = [];
  for (const headers of accepts) types.push((await ask('/health', { headers })).headers);
  t.same(
    types.map((headers) => headers.get('content-type')?.split(';')[0]),
    ['text/plain', 'application/json', 'application/json'],
  );
  t.match(
    await (await ask('/health?format=text')).text(),
    /^sluice 1\.2\.3, process 4711, serving, up 3 h\n/,
  );
});

t.test('/metrics passes the exposition on with its type', async (t) => {
  const answer = await (await served(t)).ask('/metrics');
  t.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  t.equal(await answer.text(), '# HELP x y\n');
});

t.test('HEAD is GET without a body', async (t) => {
  const { ask } = await served(t);
  for (const path of ['/', '/health', '/metrics', '/healthz', '/nowhere']) {
    const [get, head] = [await ask(path), await ask(path, { method: 'HEAD' })];
    t.equal(head.status, get.status, path);
    t.equal(head.headers.get('content-length'), get.headers.get('content-length'), path);
    t.equal(await head.text(), '');
    await get.text();
  }
});

t.test('other paths are not found, and other methods not allowed', async (t) => {
  const { ask } = await served(t);
  for (const path of ['/nothing', '/metrics/', '/constructor', '/health%20']) {
    t.equal((await ask(path)).status, 404, path);
  }
  const post = await ask('/health', { method: 'POST', body: 'x'.repeat(100_000) });
  t.equal(post.status, 405);
  t.equal(post.headers.get('allow'), 'GET, HEAD');
});

t.test('what is not HTTP, or has too large a header, is refused', async (t) => {
  const { port } = await served(t);
  t.match(await raw(port, 'hello\r\n\r\n'), ' 400 ');
  const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n';
  t.match(await raw(port, `${get}A: ${'a'.repeat(10_000)}\r\n\r\n`), ' 431 ');
  t.match(await raw(port, `GET /${'a'.repeat(10_000)} HTTP/1.1\r\n`), ' 414 ');
  t.match(await raw(port, `GET /${'a'.repeat(3_000)} HTTP/1.1\r\nHost: [::1]\r\n\r\n`), ' 414 ');
  t.match(await raw(port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), ' 505 ');
  t.match(await raw(port, '\x16\x03\x01\x02\x00'), ' 400 ');
  t.match(await raw(port, 'GET / HTTP/1.1\r\n\r\n'), ' 400 ', 'no Host');
  t.match(await raw(port, `${get}Host: localhost\r\n\r\n`), ' 400 ', 'two of them');
  t.match(await raw(port, `${get}A : b\r\n\r\n`), ' 400 ');
  t.match(await raw(port, `${get}A: b\r\n c\r\n\r\n`), ' 400 ');
  t.match(await raw(port, 'GET /healthz HTTP/1.0\r\n\r\n'), ' 200 ');
  t.match(await raw(port, '\r\nGET http://127.0.0.1/healthz HTTP/1.1\r\nHost: x\r\n\r\n'), ' 200 ');
});

t.test('a body is not read, and nothing that follows one is a request', async (t) => {
  const { port } = await served(t);
  const post = 'POST /health HTTP/1.1\r\nHost: localhost\r\n';
  const smuggled = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
  for (const how of ['Content-Length: 5', 'Transfer-Encoding: chunked', 'Content-Length: x']) {
    for (const first of [post, post.replace('POST', 'GET')]) {
      const answers = await raw(port, `${first}${how}\r\n\r\n${smuggled}`);
      t.equal(answers.match(/HTTP\/1\.1 /g)?.length, 1, `${first.slice(0, 4)}, ${how}`);
    }
  }
});

t.test(
  'a foreign Host is refused with a sentence, our own names and addresses are not',
  async (t) => {
    const { port } = await served(t);
    const status = async (host: string): Promise<string> => {
      const answer = await raw(port, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      return answer.split(' ')[1] ?? '';
    };
    const good = [
      'localhost',
      'LOCALHOST.:9600',
      'a.localhost',
      '127.0.0.1:1',
      '[::1]:9600',
      '10.1.2.3',
    ];
    for (const host of [...good, 'sluice.example.org:9600', 'Sluice.Example.Org']) {
      t.equal(await status(host), '200', host);
    }
    const bad = [
      'evil.example',
      'localhost.evil.example',
      'notlocalhost',
      '127.0.0.1.evil.example',
    ];
    for (const host of [...bad, '', '[evil]', 'a@localhost', 'localhost/', '2130706433']) {
      t.equal(await status(host), '421', host);
    }
    t.match(
      await raw(port, 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n'),
      /evil\.example is not served here: put its name into \[admin\] hosts/,
    );
  },
);

for (const [view, path] of [
  ['live', '/healthz'],
  ['ready', '/ready'],
  ['health', '/health'],
  ['metrics', '/metrics'],
  ['exposition', '/metrics'],
] as const) {
  t.test(`a page whose ${view} breaks is an error of that page only`, async (t) => {
    const { views, ask, defects } = await served(t);
    const whole = views[view];
    Object.assign(views, {
      [view]: () => {
        throw new Error('no such row');
      },
    });
    const broken = await ask(path);
    t.equal(broken.status, 500);
    t.match(await broken.text(), 'a defect of sluice: no such row');
    t.match(defects, [{ message: 'no such row' }]);
    t.equal((await ask('/')).status, 200, 'the others are served');
    Object.assign(views, { [view]: whole });
    t.equal((await ask(path)).status, 200, 'and so is it, the next time');
  });
}

t.test('a port that is taken is an error with its errno', async (t) => {
  const { server } = await served(t);
  t.match(await startAdmin(server.endpoint, depsOf(fakeViews())), {
    ok: false,
    error: { errno: 'EADDRINUSE' },
  });
});

t.test('closing cuts open connections and frees the port', async (t) => {
  const { server, port } = await served(t);
  const held = connect(port, '127.0.0.1');
  await once(held, 'connect');
  const cut = once(held, 'close');
  await server.close();
  await cut;
  const again = await startAdmin(server.endpoint, depsOf(fakeViews()));
  t.ok(again.ok);
  if (again.ok) await again.value.close();
});

t.test('the control API is below its prefix, and its gate is for every page', async (t) => {
  const { views } = await served(t);
  const started = await startAdmin(ipEndpoint(4, '127.0.0.1', 0), {
    ...depsOf(views),
    control: {
      maxBodyBytes: 100,
      prefix: '/v1/',
      answer: async ({ target, body }) => ({ status: 200, type: 'x', body: `${target} ${body}` }),
      refuse: plainAnswer,
      refusal: async ({ target }) =>
        target === '/metrics' ? { status: 401, type: 'x', body: 'no' } : null,
    },
  });
  if (!started.ok) throw new Error(started.error.detail);
  t.teardown(() => started.value.close());
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${started.value.endpoint.port}${path}`, init);
  t.equal(await (await ask('/v1/x?y', { method: 'POST', body: 'z' })).text(), '/v1/x?y z');
  t.equal((await ask('/v1/x', { method: 'POST', body: 'z'.repeat(101) })).status, 413);
  t.equal((await ask('/metrics')).status, 401);
  t.equal((await ask('/healthz')).status, 200);
  t.equal((await ask('/healthz', { method: 'POST', body: 'z' })).status, 405);
});
