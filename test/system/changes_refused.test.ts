/** What cannot be: a file, an address or a path is refused, at start and at a reload. */
import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BINARY, Daemon, startDaemon } from '../support/daemon.js';
import { within } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { tempFolder } from '../support/places.js';
import { runToEnd } from '../support/process.js';
import { listenerText, poolText, serviceText } from '../support/settings.js';
import { dial } from '../support/wire.js';

const NONE = 'probe = "none"';

t.test('a reload that finds no room is refused with the numbers and the remedy', async (t) => {
  const names = (prefix: string): string =>
    Array.from({ length: 2_100 }, (_, index) => `[pools.${prefix}${index}]`).join('\n') +
    `\n${serviceText({ name: 'p', backends: [{ address: '127.0.0.1:1' }], health: NONE })}`;
  const daemon = await startDaemon(t, { workers: 1, toml: names('a') });
  const record = await daemon.reload(names('b'));
  t.equal(record.event, 'reload-failed');
  t.match(
    String(record['problems']),
    /no room for the new pools: the file has 2101, 2100 that leave .* 4096; .* or restart/,
  );
  t.equal((await daemon.reload(names('a'))).event, 'reloaded', 'nothing has changed');
});

t.test('what cannot be bound refuses the reload, and nothing has changed', async (t) => {
  const echoes = await startEchoes(t, 1);
  const front = serviceText({ name: 'echo', backends: echoes });
  const daemon = await startDaemon(t, { toml: front });
  await daemon.backendsUp('echo', 1);
  const port = await daemon.port('echo');
  const wire = await dial(t, { port });
  for (const [bind, told] of badBinds(t)) {
    const record = await daemon.reload(front + listenerText({ name: 'x', pool: 'echo', bind }));
    t.equal(record.event, 'reload-failed', bind);
    t.match(String(record['problems']), told);
    t.equal(await exchangeOnce({ port }), null);
  }
  await wire.send('on');
  t.equal(await wire.readText(2), 'on');
});

t.test('what cannot be bound at start is start-failed with exit code 1, at once', async (t) => {
  for (const [bind, told] of badBinds(t)) {
    const toml =
      listenerText({ name: 'x', pool: 'p', bind }) +
      poolText({ name: 'p', backends: [{ address: '127.0.0.1:1' }], health: NONE });
    const daemon = new Daemon(join(tempFolder(t), 'sluice.toml'), { toml });
    t.teardown(() => daemon.end());
    t.same(await within('the end', daemon.exited, 10_000), { code: 1, signal: null }, bind);
    t.match(daemon.complaints, told);
  }
});

t.test('a log keeps its format until a restart, and a reload says so', async (t) => {
  const daemon = await startDaemon(t, {
    toml: serviceText({ name: 'echo', backends: await startEchoes(t, 1), health: NONE }),
  });
  const text = readFileSync(daemon.file, 'utf8');
  writeFileSync(daemon.file, text.replace('[log]', '[log]\nformat = "pretty"\nlevel = "debug"'));
  const told = daemon.nextEvent('restart-needed');
  const reloaded = daemon.nextEvent('reloaded');
  daemon.signal('SIGHUP');
  t.match(await told, { keys: ['log.format'] });
  t.match(await reloaded, { level: 'info', changed: ['log'] });
});

t.test('check, start and reload refuse a path that is not a socket, and leave it', async (t) => {
  const path = join(tempFolder(t), 'precious');
  writeFileSync(path, 'precious');
  const toml =
    listenerText({ name: 'x', pool: 'p', bind: `unix:${path}` }) +
    poolText({ name: 'p', backends: [{ address: '127.0.0.1:1' }], health: NONE });
  const file = join(tempFolder(t), 'sluice.toml');
  writeFileSync(file, toml);
  const checked = await runToEnd(process.execPath, [BINARY, 'check', '-c', file]);
  t.equal(checked.code, 1);
  t.match(checked.stderr, /:\d+:\d+: listeners.x.bind.*precious is a file, not a socket/);
  const started = new Daemon(join(tempFolder(t), 'sluice.toml'), { toml });
  t.teardown(() => started.end());
  t.match(await started.exited, { code: 1 });
  const good = serviceText({ name: 'echo', backends: await startEchoes(t, 1), health: NONE });
  const daemon = await startDaemon(t, { toml: good });
  const link = `${path}-link`;
  symlinkSync(path, link);
  for (const [bind, what] of [
    [path, 'a file'],
    [link, 'a symbolic link'],
  ]) {
    const text = good + listenerText({ name: 'x', pool: 'echo', bind: `unix:${bind}` });
    const { event, problems } = await daemon.reload(text);
    t.equal(event, 'reload-failed');
    t.match(String(problems), `${bind} is ${what}, not a socket`);
  }
  t.ok(lstatSync(link).isSymbolicLink());
  t.equal(readFileSync(path, 'utf8'), 'precious');
});

t.test('an empty or half-written file is refused at a reload', async (t) => {
  const echoes = await startEchoes(t, 1);
  const front = serviceText({ name: 'echo', backends: echoes });
  const daemon = await startDaemon(t, { toml: front });
  await daemon.backendsUp('echo', 1);
  const port = await daemon.port('echo');
  for (const text of ['', poolText({ name: 'echo', backends: echoes })]) {
    const record = await daemon.reload(text);
    t.equal(record.event, 'reload-failed');
    t.match(String(record['problems']), /no listener.*at least one table \[listeners\.NAME\]/);
    t.equal(await exchangeOnce({ port }), null);
  }
});

t.test('a file that is too long is refused at a reload, and nothing waits for it', async (t) => {
  const front = serviceText({ name: 'echo', backends: await startEchoes(t, 1), health: NONE });
  const daemon = await startDaemon(t, { toml: front });
  const port = await daemon.port('echo');
  const long = front + `# ${'x'.repeat(1_021)}\n`.repeat(17 * 1_024);
  const unknown = Array.from({ length: 390_000 }, (_, index) => `key${index} = 1\n`).join('');
  for (const [text, told] of [
    [long, /expected at most 16777216 bytes/],
    [`${front}[pools.more]\n${unknown}`, /more than 10000 problems/],
  ] as const) {
    const refused = daemon.reload(text);
    let asked = 0;
    void refused.then(() => {
      asked = Number.POSITIVE_INFINITY;
    });
    for (; asked < 50; asked++) t.equal((await daemon.get('/healthz')).status, 200);
    const { event, problems } = await refused;
    t.equal(event, 'reload-failed');
    t.match(String(problems), told);
    t.equal(await exchangeOnce({ port }), null);
  }
});

t.test('a stop during the start ends it at once with 0', async (t) => {
  const toml = serviceText({ name: 'echo', backends: [{ address: '127.0.0.1:1' }] });
  const daemon = new Daemon(join(tempFolder(t), 'sluice.toml'), { toml });
  t.teardown(() => daemon.end());
  await daemon.event('engine-chosen');
  daemon.signal('SIGTERM');
  t.same(await within('the end', daemon.exited, 10_000), { code: 0, signal: null });
});

function badBinds(t: Test): readonly (readonly [bind: string, told: RegExp])[] {
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'folder'));
  return [
    [`unix:${join(folder, 'folder')}`, /folder is a directory, not a socket/],
    [`unix:${join(folder, 'nowhere', 'x.sock')}`, /nowhere does not exist/],
    ['192.0.2.1:0', /:\d+:\d+: listener x cannot listen on 192\.0\.2\.1:0: .*EADDRNOTAVAIL/],
  ];
}
