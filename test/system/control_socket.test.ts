/** The control socket and `sluice ctl`: which user may do what, and what they answer. */
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { askControl, rawControl } from '../support/control_client.js';
import { runCtl, startOperated } from '../support/ctl.js';
import { BINARY, startDaemon } from '../support/daemon.js';
import { isValid } from '../support/json_schema.js';
import { CHANGES, DOCUMENT, operationsOf } from '../support/open_api.js';
import { tempFolder } from '../support/places.js';
import { runToEnd } from '../support/process.js';
import { serviceText } from '../support/settings.js';

const service = (...names: readonly string[]): string =>
  serviceText({
    name: 'app',
    health: 'probe = "none"',
    backends: names.map((name, index) => ({ name, address: `127.0.0.1:${index + 1}` })),
  });

t.test('status says what runs, for people and for programs', async (t) => {
  const { daemon, ctl, ask } = await startOperated(t, { toml: service('a', 'b') });
  await daemon.backendsUp('app', 2);
  const { code, stdout, stderr } = await ctl('status');
  t.equal(code, 0, stderr);
  t.match(stdout, `process ${daemon.pid}, serving`);
  t.match(stdout, '1 listener, 1 pool, 2 of 2 backends eligible');
  t.match(await ask('status'), { phase: 'serving', pid: daemon.pid, trouble: [] });
  t.equal(daemon.eventsNamed('control-off').length, 0);
});

t.test('a control socket whose file was removed is there again after a reload', async (t) => {
  const { daemon, socket, ctl } = await startOperated(t, { toml: service('a', 'b') });
  unlinkSync(socket);
  const again = daemon.nextEvent('control-listening');
  daemon.signal('SIGHUP');
  await again;
  const { code, stdout, stderr } = await ctl('why', 'b');
  t.equal(code, 1, stdout);
  t.match(stderr, 'did you mean app/b?');
});

t.test('a control socket is opened again when another process has had its path', async (t) => {
  const { daemon, socket, ctl } = await startOperated(t, { toml: service('a') });
  unlinkSync(socket);
  const other = createServer().listen(socket);
  await once(other, 'listening');
  const failed = daemon.nextEvent('control-failed');
  daemon.signal('SIGHUP');
  t.match(await failed, { detail: 'another process listens there (EADDRINUSE)' });
  other.close();
  await once(other, 'close');
  const again = daemon.nextEvent('control-listening');
  daemon.signal('SIGHUP');
  await again;
  t.equal((await ctl('status')).code, 0);
});

t.test(
  'a control socket without a folder: check warns, a start says it, a reload has it',
  async (t) => {
    const folder = join(tempFolder(t), 'missing');
    const daemon = await startDaemon(t, { toml: service('a'), socket: join(folder, 'a.sock') });
    t.match(await daemon.event('control-failed'), {
      address: `unix:${folder}/a.sock`,
      detail: `the folder ${folder} does not exist; RuntimeDirectory in the unit makes one`,
      remedy: /\[admin\] socket/,
    });
    const checked = await runToEnd(process.execPath, [BINARY, 'check', daemon.file]);
    t.equal(checked.code, 0);
    t.match(checked.stderr, `: warning: admin.socket: ${folder} does not exist (expected a folder`);
    mkdirSync(folder);
    const open = daemon.nextEvent('control-listening');
    daemon.signal('SIGHUP');
    await open;
  },
);

t.test('reload prints the difference, and with --dry-run only that', async (t) => {
  const { daemon, ctl, ask } = await startOperated(t, { toml: service('a', 'b') });
  daemon.write(service('a', 'c'));
  const dry = await ctl('reload', '--dry-run');
  t.equal(dry.stdout, '+ backend app/c\n- backend app/b');
  t.equal(daemon.eventsNamed('reloading').length, 0, 'nothing was changed');
  const done = await ask<{ added: string[]; removed: string[]; changed: string[] }>('reload');
  t.match(done, { added: ['backend app/c'], removed: ['backend app/b'], changed: [] });
  t.match(await daemon.event('reloading'), { by: 'root' });
  t.match(await daemon.event('reloaded'), { added: ['backend app/c'] });
  t.equal((await ctl('reload', '--dry-run')).stdout, 'nothing changes');

  daemon.write('nonsense = 1\n');
  const refused = await ctl('reload');
  t.equal(refused.code, 1);
  t.match(refused.stderr, /^sluice: The file is refused.*\n.*sluice.toml:\d+:\d+: /);
  t.match(await daemon.event('reload-failed'), { problems: /nonsense/ });
});

t.test('a daemon that does not answer is one sentence with the remedy', async (t) => {
  const folder = tempFolder(t);
  const absent = await runCtl(join(folder, 'none.sock'), ['status']);
  t.equal(absent.code, 1);
  t.match(absent.stderr, /^sluice: there is no control socket at .*--socket PATH/);
  t.notMatch(absent.stderr, '\n');
  const nowhere = await runCtl(join(folder, 'none', 'admin.sock'), ['status']);
  t.match(nowhere.stderr, /^sluice: there is no control socket at .*, nor its folder: make that/);
  t.equal((await runCtl(folder, ['statsu'])).code, 2);
  t.equal((await runCtl(folder, ['status', '--no-such'])).code, 2);
  t.equal((await runCtl(folder, ['status', '--help'])).code, 0);
});

t.test('users who can open the socket may look; changes are for users who are named', async (t) => {
  const { daemon, socket } = await startOperated(t, {
    toml: service('a'),
    adminLines: 'socket_group = "nogroup"\nsocket_users = ["daemon"]',
  });
  const { mode, gid } = lstatSync(socket);
  t.equal(mode & 0o777, 0o660);
  t.not(gid, process.getgid?.(), 'the group of the file');
  t.equal((await runCtl(socket, ['status'], { user: 'nobody' })).code, 0);
  const refused = await runCtl(socket, ['reload'], { user: 'nobody' });
  t.equal(refused.code, 1);
  t.match(refused.stderr, /^sluice: Not allowed: nobody may look and change nothing/);
  const outside = await runCtl(socket, ['status'], { user: 'daemon' });
  t.match(outside, { code: 1, stderr: /you may not open/ });
  chmodSync(socket, 0o666);
  t.equal((await runCtl(socket, ['reload'], { user: 'daemon' })).code, 0);
  t.match(await daemon.event('reloading'), { by: 'daemon' });

  const all = await operationsOf(socket);
  const changing = all.filter(({ method }) => method !== 'GET').map(({ path }) => path);
  t.same(changing.toSorted(), Object.keys(CHANGES).toSorted());
  t.same(
    changing,
    all.filter(({ operation }) => operation['x-sluice-may'] === 'change').map(({ path }) => path),
    'what is no GET takes the right to change, and nothing else does',
  );
  // It would start another process: a request that the gate lets through and that does not fit.
  const bodies = { ...CHANGES, '/v1/upgrade': { timeout: 'soon' } };
  const asAre = (user: string) => statusesAs(user, socket, bodies);
  const each = (status: (path: string) => number) =>
    Object.keys(bodies).map((path) => `${path} ${status(path)}`);
  t.same(
    await asAre('nobody'),
    each(() => 403),
    'each of them',
  );
  t.same(
    await asAre('daemon'),
    each((path) => (path === '/v1/upgrade' ? 400 : 200)),
    'each of them',
  );
});

/** What `user` gets for all of `bodies`, sent one after the other. */
async function statusesAs(
  user: string,
  socket: string,
  bodies: Readonly<Record<string, object>>,
): Promise<readonly string[]> {
  const script = `
    const { request } = require('node:http');
    const all = Object.entries(${JSON.stringify(bodies)});
    const next = () => {
      const [path, body] = all.shift() ?? [];
      if (path === undefined) return;
      const text = JSON.stringify(body);
      const headers = { 'content-length': text.length };
      const options = { socketPath: ${JSON.stringify(socket)}, path, method: 'POST', headers };
      request(options, (answer) => {
        console.log(path + ' ' + answer.statusCode);
        answer.resume().on('end', next);
      }).end(text);
    };
    next();`;
  const { stdout } = await runToEnd(process.execPath, ['-e', script], { user });
  return stdout.split('\n');
}

t.test(
  'its document describes every answer, and a bad request is a problem document',
  async (t) => {
    const { socket } = await startOperated(t, { toml: service('a') });
    for (const { path, method, operation } of await operationsOf(socket)) {
      const { status, body, type } = await askControl(socket, method, path, {});
      const kind = status === 200 ? 'application/json' : 'application/problem+json';
      t.ok(type.startsWith(kind), `${method} ${path}: ${status} ${type}`);
      if (status !== 200) continue;
      const schema = operation.responses['200']?.content['application/json']?.schema;
      t.ok(isValid(schema, body), `${method} ${path}`);
    }
    const status = async (...asked: Parameters<typeof rawControl>) =>
      (await rawControl(...asked)).split(' ')[1];
    const post = 'POST /v1/reload HTTP/1.1\r\nHost: x\r\n';
    t.equal(await status(socket, 'hello\r\n\r\n'), '400');
    t.equal(await status(socket, `${post}Content-Length: 5\r\n\r\n{{{{{`), '400');
    t.equal(await status(socket, `${post}Content-Length: 12\r\n\r\n{"dry_run":1`), '400');
    t.equal(await status(socket, `${post}Content-Length: x\r\n\r\n`), '400');
    t.equal(await status(socket, `${post}Content-Length: 99999999\r\n\r\n`), '413');
    t.equal(await status(socket, `${post}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`), '411');
    t.match((await askControl(socket, 'GET', '/v1/nothing')).body, {
      type: 'urn:sluice:problem:not-found',
      status: 404,
      detail: DOCUMENT,
    });
    t.equal((await askControl(socket, 'GET', '/v1/reload')).status, 405);
    t.equal((await askControl(socket, 'GET', '/v1/status?x=1')).status, 400);
  },
);

t.test('a socket that does not answer is taken over; anything else stays', async (t) => {
  const folder = tempFolder(t);
  const at = join(folder, 'a.sock');
  const first = await startDaemon(t, { toml: service('a'), socket: at });
  await first.event('control-listening');
  first.signal('SIGKILL');
  await first.exited;
  t.ok(existsSync(at), 'a killed daemon leaves it');
  const second = await startOperated(t, { toml: service('a'), socket: at });
  t.equal((await second.ctl('status')).code, 0);

  const third = await startDaemon(t, { toml: service('a'), socket: at });
  t.match(await third.event('control-failed'), { detail: /another process listens there/ });
  t.equal((await second.ctl('status')).code, 0, 'the daemon that has it keeps it');
  await third.stop();
  t.equal((await second.ctl('status')).code, 0);
  await second.daemon.stop();
  t.notOk(existsSync(at), 'an orderly end removes it');

  const file = join(folder, 'file');
  writeFileSync(file, 'precious');
  const fourth = await startDaemon(t, { toml: service('a'), socket: file });
  t.match(await fourth.event('control-failed'), { detail: /does not remove/ });
});

t.test('"auto" is where the service manager has made a folder', async (t) => {
  const folder = tempFolder(t);
  const env = { RUNTIME_DIRECTORY: folder };
  const daemon = await startDaemon(t, { toml: service('a'), socket: 'auto', env });
  const path = join(folder, 'admin.sock');
  t.match(await daemon.event('control-listening'), { address: `unix:${path}` });
  const asked = await runToEnd(
    process.execPath,
    [join(import.meta.dirname, '../../../bin/sluice'), 'ctl', 'status'],
    { env },
  );
  t.equal(asked.code, 0, 'ctl looks there too');
});

t.test('requests on one connection are answered one after the other', async (t) => {
  const { socket } = await startOperated(t, { toml: service('a') });
  const one = (after: string) =>
    `POST /v1/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n${after}\r\n{"dry_run": true}`;
  const answers = await rawControl(socket, one('').repeat(3) + one('Connection: close\r\n'));
  t.equal(answers.match(/HTTP\/1\.1 200/g)?.length, 4);
  // A server that is no sluice, for the sentence.
  const path = join(tempFolder(t), 'other.sock');
  const other = createServer((connection) => connection.end('HTTP/1.1 200 OK\r\n\r\nhello'));
  await new Promise<void>((resolve) => other.listen(path, resolve));
  t.teardown(() => other.close());
  t.match(await runCtl(path, ['status']), { code: 1, stderr: /is that sluice/ });
});

t.test('over http the same API reads, and changes things with the token only', async (t) => {
  const tokenFile = join(tempFolder(t), 'token');
  writeFileSync(tokenFile, 'correct-horse-battery\n');
  const operated = await startOperated(t, {
    toml: service('a', 'b'),
    adminLines: `token_file = "${tokenFile}"`,
  });
  const { daemon, socket } = operated;
  await daemon.backendsUp('app', 2);
  const base = `http://${(await daemon.event('admin-listening'))['address']}`;
  const ask = (path: string, body?: object, token?: string) =>
    fetch(`${base}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  t.match(await (await ask('/v1/backends')).json(), { items: [{ name: 'a' }, { name: 'b' }] });
  for (const { path, method, operation } of await operationsOf(socket)) {
    if (operation['x-sluice-may'] !== 'change') continue;
    t.equal((await ask(path, {})).status, 403, `${method} ${path}`);
    t.equal((await ask(path, {}, 'wrong')).status, 401, `${method} ${path}`);
  }
  const drained = await ask('/v1/drain', { backends: ['app/a'] }, 'correct-horse-battery');
  t.equal(drained.status, 200);
  t.match(await daemon.event('override-set'), { backend: 'a', by: 'token' });
  t.equal((await ask('/v1/nothing', {}, 'correct-horse-battery')).status, 404);
  t.equal((await ask('/metrics')).status, 200);
});
