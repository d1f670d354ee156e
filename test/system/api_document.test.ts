/** What the document of the control API says, held against what a running daemon does. */
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { askControl } from '../support/control_client.js';
import { startOperated } from '../support/ctl.js';
import { within } from '../support/deadline.js';
import { isValid } from '../support/json_schema.js';
import {
  type BodySchema,
  CHANGES,
  DOCUMENT,
  operationsOf,
  type PlacedOperation,
} from '../support/open_api.js';
import { tempFolder } from '../support/places.js';
import { serviceText } from '../support/settings.js';

const SERVICE = serviceText({
  name: 'app',
  health: 'probe = "none"',
  backends: [{ name: 'a', address: '127.0.0.1:1' }],
});

/** It starts another process; what it does is tested in upgrade. */
const UPGRADE = '/v1/upgrade';

t.test(
  'every change is ruled out by a tag of something else, and made with the present one',
  async (t) => {
    const { daemon, socket } = await startOperated(t, { toml: SERVICE });
    const change = (path: string, tag: string) =>
      askControl(socket, 'POST', path, CHANGES[path], { 'if-match': tag });
    const present = async (): Promise<string> =>
      (await askControl(socket, 'GET', '/v1/overrides')).etag ?? '';
    const changing = (await operationsOf(socket)).filter(({ method }) => method === 'POST');
    t.same(changing.map(({ path }) => path).toSorted(), Object.keys(CHANGES).toSorted());
    for (const { path } of changing) {
      for (const tag of ['"nonsense"', `W/${await present()}`, '"old", "older"']) {
        t.match(
          await change(path, tag),
          { status: 412, body: { type: /changed/ } },
          `${path} ${tag}`,
        );
      }
    }
    t.same(
      ['override-set', 'reloading', 'sessions-killed', 'upgrading'].filter(
        (name) => daemon.eventsNamed(name).length > 0,
      ),
      [],
      'nothing was done',
    );
    for (const { path } of changing) {
      if (path === UPGRADE) continue;
      t.equal((await change(path, `"old", ${await present()}`)).status, 200, path);
      // What was admitted is not denied any more, and refused for another reason.
      t.not((await change(path, '*')).status, 412, path);
    }
  },
);

t.test('every status that comes back is in the document, with its kind of text', async (t) => {
  const tokenFile = join(tempFolder(t), 'token');
  writeFileSync(tokenFile, 'correct-horse-battery\n');
  const adminLines = `token_file = "${tokenFile}"`;
  const { daemon, socket } = await startOperated(t, { toml: SERVICE, adminLines });
  const [host = '', port = ''] = String((await daemon.event('admin-listening'))['address']).split(
    ':',
  );
  const seen = new Set<number>();
  const check = ({ operation, path }: PlacedOperation, status: number, type: string): void => {
    seen.add(status);
    const told = operation.responses[String(status)];
    const types = Object.keys(told?.content ?? {});
    t.ok(types.includes(type.split(';')[0] ?? ''), `${path} ${status} ${type}`);
  };
  daemon.write('nonsense = 1\n');
  for (const placed of await operationsOf(socket)) {
    const { method, path } = placed;
    const body = CHANGES[path];
    const wrong = JSON.parse(JSON.stringify(body ?? null).replaceAll('app', 'nope')) as object;
    const posted = method === 'POST';
    const over = (headers: Readonly<Record<string, string>>) =>
      rawAnswer(connect(Number(port), host), method, path, { host: 'localhost', ...headers });
    const raw = (headers: Readonly<Record<string, string>>, target = path) =>
      rawAnswer(connect(socket), method, target, { host: 'x', ...headers });
    const answers = [
      await askControl(socket, method, path, posted ? { nonsense: 1 } : undefined),
      await askControl(socket, method, `${path}?nonsense=1`),
      await askControl(
        socket,
        method,
        posted ? path : `${path}?pool=nope`,
        posted ? wrong : undefined,
      ),
      ...(path === UPGRADE ? [] : [await askControl(socket, method, path, body)]),
      await askControl(socket, method, path, body, { 'if-match': '"nonsense"' }),
      await over({ 'content-length': '0' }),
      await over({ authorization: 'Bearer wrong' }),
      await over({ host: 'foreign' }),
      await raw({ 'content-length': '99999999' }),
      await raw({ 'x-long': 'x'.repeat(9_000) }),
      await raw({}, `${path}?${'x'.repeat(3_000)}`),
      ...(posted ? [await raw({ 'transfer-encoding': 'chunked' })] : []),
    ];
    for (const { status, type } of answers) check(placed, status, type);
  }
  const expected = [200, 400, 401, 403, 404, 409, 411, 412, 413, 414, 421, 431];
  t.same(
    [...seen].toSorted((a, b) => a - b),
    expected,
  );
});

t.test('the document has the bounds that are kept, the headers and the token', async (t) => {
  const { socket } = await startOperated(t, { toml: SERVICE });
  const all = await operationsOf(socket);
  const schemaOf = (path: string): BodySchema | undefined =>
    all.find((one) => one.path === path)?.operation.requestBody?.content['application/json']
      ?.schema;
  const bodies: Readonly<Record<string, readonly object[]>> = {
    '/v1/weight': [-1, 0, 1_000, 1_001, 1.5, '50%', 'x', '2000%', null].map((value) => ({
      backends: ['app/a'],
      value,
    })),
    '/v1/drain': [1, 500, 501].map((length) => ({
      backends: ['app/a'],
      because: 'x'.repeat(length),
    })),
    '/v1/deny': ['\u001b', 'x'.repeat(101)].map((client) => ({ client })),
  };
  for (const [path, tried] of Object.entries(bodies)) {
    for (const body of tried) {
      const { status } = await askControl(socket, 'POST', path, body);
      t.equal(status === 200, isValid(schemaOf(path), body), `${path} ${JSON.stringify(body)}`);
    }
  }
  const headersOf = ({ operation }: PlacedOperation): readonly string[] =>
    (operation.parameters ?? []).filter((one) => one.in === 'header').map(({ name }) => name);
  for (const placed of all) {
    const { path, operation } = placed;
    const isChange = operation['x-sluice-may'] === 'change';
    t.equal(headersOf(placed).includes('If-Match'), isChange, path);
    const query = path === '/v1/overrides' ? path : null;
    const body = path === UPGRADE || path === '/v1/reload' ? undefined : CHANGES[path];
    if (query === null && body === undefined) continue;
    const { etag } = await askControl(socket, query === null ? 'POST' : 'GET', path, body);
    t.equal(etag !== null, operation.responses['200']?.headers?.['ETag'] !== undefined, path);
  }
  const streams = all.filter((placed) => headersOf(placed).includes('Last-Event-ID'));
  t.same(streams.map(({ path }) => path).toSorted(), ['/v1/events']);
  t.match((await askControl(socket, 'GET', DOCUMENT)).body, {
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    servers: [Object, { url: /address/ }],
  });
});

interface RawAnswer {
  readonly status: number;
  readonly type: string;
}

/** Of a request that Node.js would not send. */
async function rawAnswer(
  connection: Socket,
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
): Promise<RawAnswer> {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  connection.on('error', () => {});
  connection.write(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`);
  let text = '';
  connection.setEncoding('latin1');
  const whole = new Promise<void>((resolve) => {
    connection.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\r\n\r\n')) resolve();
    });
    connection.once('close', () => resolve());
  });
  await within(`an answer to ${method} ${target.slice(0, 40)}`, whole);
  connection.destroy();
  const [, status = '0'] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? [];
  const [, type = ''] = /^content-type: (.*)$/im.exec(text) ?? [];
  return { status: Number(status), type: type.trim() };
}
