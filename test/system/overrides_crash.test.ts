/**
 * SIGKILL while the file of overrides is written, at each step of it: what was answered before is
 * never lost, and the next start works.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { askControl } from '../support/control_client.js';
import { startOperated } from '../support/ctl.js';
import { eventually } from '../support/deadline.js';
import { tempFolder } from '../support/places.js';
import { serviceText } from '../support/settings.js';
import type { Upgraded } from '../support/upgrades.js';

/** What the process does last, in the order of `StateFile`. */
const STEPS = ['open', 'half of it', 'sync', 'rename', 'sync of the folder'] as const;

/** Runs in the daemon: it kills itself at `step` of the first write of overrides. */
function killAt(step: (typeof STEPS)[number]): string {
  return `
    const fs = (await import('node:fs/promises')).default;
    const { syncBuiltinESMExports } = await import('node:module');
    const step = ${JSON.stringify(step)};
    const { open, rename } = fs;
    const die = () => process.kill(process.pid, 'SIGKILL');
    const isIts = (path) => String(path).endsWith('overrides.json.new');
    let renamed = false;
    fs.open = async (path, ...rest) => {
      const file = await open(path, ...rest);
      if (isIts(path)) {
        if (step === 'open') die();
        const write = file.writeFile.bind(file);
        file.writeFile = async (text) => {
          if (step !== 'half of it') await write(text);
          else {
            await write(text.slice(0, text.length / 2));
            die();
          }
        };
      }
      const sync = file.sync.bind(file);
      file.sync = async () => {
        await sync();
        if (step === 'sync' && isIts(path)) die();
        if (step === 'sync of the folder' && renamed) die();
      };
      return file;
    };
    fs.rename = async (from, to) => {
      await rename(from, to);
      renamed ||= isIts(from);
      if (step === 'rename' && isIts(from)) die();
    };
    syncBuiltinESMExports();`;
}

const NAMES = ['first', ...STEPS.map((_, at) => `b${at}`)];
const TOML = serviceText({
  name: 'app',
  health: 'probe = "none"',
  backends: NAMES.map((name, at) => ({ name, address: `127.0.0.1:${at + 1}` })),
});

interface Shown {
  readonly backend: string;
  readonly because: string;
}

t.test('a kill at any step of a write loses nothing that was there before', async (t) => {
  const state = tempFolder(t);
  const drain = (socket: string, name: string) =>
    askControl(socket, 'POST', '/v1/drain', { backends: [`app/${name}`], because: 'before' });
  const first = await startOperated(t, { toml: TOML, state });
  t.equal((await drain(first.socket, 'first')).status, 200);
  first.daemon.signal('SIGKILL');
  await first.daemon.exited;
  let known = ['app/first'];
  for (const [at, step] of STEPS.entries()) {
    const { daemon, socket } = await startOperated(t, { toml: TOML, state, preload: killAt(step) });
    const shown = await askControl(socket, 'GET', '/v1/overrides');
    const { items } = shown.body as { items: readonly Shown[] };
    const kept = items.map(({ backend }) => backend);
    t.same(
      known.filter((name) => !kept.includes(name)),
      [],
      `nothing is lost before: ${step}`,
    );
    t.ok(items.every(({ because }) => because === 'before'));
    t.equal(daemon.eventsNamed('state-unreadable').length, 0, step);
    known = kept;
    await drain(socket, `b${at}`).catch(() => null);
    t.match(await daemon.exited, { signal: 'SIGKILL' }, `it was killed at: ${step}`);
    t.doesNotThrow(() => JSON.parse(readFileSync(join(state, 'overrides.json'), 'utf8')), step);
  }
  const last = await startOperated(t, { toml: TOML, state });
  const { body } = await askControl(last.socket, 'GET', '/v1/overrides');
  const names = (body as { items: readonly Shown[] }).items.map(({ backend }) => backend);
  t.same(
    known.filter((name) => !names.includes(name)),
    [],
  );
  t.ok(names.includes('app/b3'), 'what was renamed is there');
  t.equal((await drain(last.socket, 'b0')).status, 200);
  t.notOk(existsSync(join(state, 'overrides.json.new')), 'nothing is left beside it');
});

t.test(
  'a second daemon with the same state directory says so, and overwrites nothing',
  async (t) => {
    const state = tempFolder(t);
    const first = await startOperated(t, { toml: TOML, state });
    const drain = (socket: string, name: string) =>
      askControl(socket, 'POST', '/v1/drain', { backends: [`app/${name}`] });
    t.match(await drain(first.socket, 'first'), { status: 200 });
    const file = join(state, 'overrides.json');
    const kept = readFileSync(file, 'utf8');

    const second = await startOperated(t, { toml: TOML, state });
    const why = `another sluice (process ${first.daemon.pid}) keeps its state in ${state}`;
    t.match(await second.daemon.event('state-not-written'), { file, problems: [why] });
    const { body } = await drain(second.socket, 'b0');
    t.match(body, { set: [{ backend: 'app/b0' }] }, 'it is in force');
    t.match((body as { notes: readonly string[] }).notes.join(), why, 'and not kept');
    t.equal(readFileSync(file, 'utf8'), kept);

    await first.daemon.stop();
    t.match(await drain(second.socket, 'b1'), { status: 200 });
    t.match(readFileSync(file, 'utf8'), /"b1"/, 'it is its own when the other one has gone');
  },
);

t.test("after an upgrade the state directory is the new process' own at once", async (t) => {
  const state = tempFolder(t);
  const first = await startOperated(t, { toml: TOML, state });
  const { pid } = await first.ask<Upgraded>('upgrade');
  const holder = () => readFileSync(join(state, 'lock'), 'utf8').trim();
  await eventually('the new process has the lock', () =>
    holder() === String(pid) ? true : undefined,
  );
  const second = await startOperated(t, { toml: TOML, state });
  const why = `another sluice (process ${pid}) keeps its state in ${state}`;
  t.match(await second.daemon.event('state-not-written'), { problems: [why] });
});

/** Runs in the daemon: the file of overrides cannot be opened while there is a file `sign`. */
function forbidWhile(sign: string): string {
  return `
    const fs = (await import('node:fs/promises')).default;
    const { existsSync } = await import('node:fs');
    const { syncBuiltinESMExports } = await import('node:module');
    const { open } = fs;
    fs.open = async (path, ...rest) => {
      const isForbidden = String(path).endsWith('overrides.json') && existsSync('${sign}');
      if (isForbidden) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
      return open(path, ...rest);
    };
    syncBuiltinESMExports();`;
}

t.test('overrides that cannot be read are left alone, and count when they can be', async (t) => {
  const state = tempFolder(t);
  const file = join(state, 'overrides.json');
  const drain = (socket: string, name: string) =>
    askControl(socket, 'POST', '/v1/drain', { backends: [`app/${name}`] });
  const first = await startOperated(t, { toml: TOML, state });
  t.match(await drain(first.socket, 'first'), { status: 200 });
  await first.daemon.stop();
  const kept = readFileSync(file, 'utf8');

  const sign = join(tempFolder(t), 'forbidden');
  writeFileSync(sign, '');
  const preload = forbidWhile(sign);
  const { daemon, socket, ctl } = await startOperated(t, { toml: TOML, state, preload });
  t.match(await daemon.event('state-unread'), { file, problems: [/EACCES/] });
  t.match((await ctl('status')).stdout, /process before are not in force.*EACCES/);
  const { body } = await drain(socket, 'b0');
  t.match((body as { notes: readonly string[] }).notes.join(), /a restart would lose it.*EACCES/);
  t.equal(readFileSync(file, 'utf8'), kept);
  t.notOk(readdirSync(state).some((name) => name.includes('unreadable')));

  rmSync(sign);
  t.match(await drain(socket, 'b1'), { status: 200, body: { notes: [] } });
  t.match(await daemon.event('state-read'), { file, count: 1 });
  await eventually('it to be in force', async () => {
    const { body } = await askControl(socket, 'GET', '/v1/overrides');
    const names = (body as { items: readonly Shown[] }).items.map(({ backend }) => backend);
    return names.toSorted().join() === 'app/b0,app/b1,app/first' ? true : undefined;
  });
  const status = await askControl(socket, 'GET', '/v1/status');
  t.notMatch(JSON.stringify(status.body), 'not in force');
  for (const name of ['first', 'b0', 'b1']) t.match(readFileSync(file, 'utf8'), `"${name}"`);
});
