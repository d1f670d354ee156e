/** `sluice top` in a terminal, beside a running daemon. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startOperated } from '../support/ctl.js';
import { BINARY } from '../support/daemon.js';
import { eventually, within } from '../support/deadline.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { tempFolder } from '../support/places.js';
import { runToEnd } from '../support/process.js';
import { serviceText } from '../support/settings.js';
import { Terminal } from '../support/terminal.js';
import { dial } from '../support/wire.js';

const DOWN = '\u001b[B';
const ESCAPE = '\u001b';
const USUAL = { columns: 80, rows: 24 };

const top = (socket: string): string[] => [process.execPath, BINARY, 'top', '--socket', socket];

t.test('top shows a daemon live, and drains and brings back what is chosen', async (t) => {
  const echoes = await startEchoes(t, 2);
  const backends = echoes.map(({ address }, index) => ({ address, name: 'ab'[index] ?? '' }));
  const { daemon, socket } = await startOperated(t, {
    toml: serviceText({ name: 'app', backends }),
  });
  await daemon.backendsUp('app', 2);
  const terminal = new Terminal(t, [...top(socket), '--every', '200ms'], USUAL);
  const first = await terminal.shows(/^ {4,}a +up /);
  t.match(first[0], /^sluice \d.*serving/);
  t.match(first[2], /^eligible 2 of 2 /);

  const wire = await dial(t, { port: await daemon.port('app') });
  await wire.send('x');
  await wire.read(1);
  await terminal.shows(/^sessions 1 now, /);

  terminal.press(`${DOWN}${DOWN}`);
  await terminal.shows(/^> {5}a /);
  terminal.press('d');
  await terminal.shows(/^drain app\/a\? y: /);
  terminal.press('y');
  await terminal.shows(/^> {5}a +drained /);
  await daemon.event('override-set');
  terminal.press('r');
  await terminal.shows(/^bring back app\/a\? y: /);
  terminal.press('y');
  await terminal.shows(/^> {5}a +up /);

  terminal.press('\u001b[A');
  await terminal.shows(/^> - app/);
  terminal.press('\r');
  t.match(await terminal.shows(/^> 127\.0\.0\.1:\d+ +app\/[ab] +relaying /), { length: 24 });
  terminal.press(ESCAPE);
  await terminal.shows(/^> - app/);
  await terminal.resize({ columns: 132, rows: 40 });
  t.match(await terminal.shows(/PROBE WHY/), { length: 40 });

  terminal.press('q');
  t.match(await within('the end of top', terminal.child.exited), { code: 0 });
  t.ok(terminal.text.trimEnd().endsWith('\u001b[?25h\u001b[?1049l'));
});

t.test('top says on its screen when the daemon has gone, and leaves at once', async (t) => {
  const { daemon, socket } = await startOperated(t, {
    toml: serviceText({ name: 'app', backends: [{ address: '127.0.0.1:9' }] }),
  });
  const terminal = new Terminal(t, [...top(socket), '--every', '200ms'], USUAL);
  await terminal.shows(/^> app /);
  await daemon.stop();
  await terminal.shows(/^! (there is no control socket|nothing answers) at /);
  terminal.press('\u0003');
  t.match(await within('the end of top', terminal.child.exited), { code: 0 });
});

t.test('top without a terminal, a daemon or a sensible pace says so in a sentence', async (t) => {
  const [, ...args] = top('/nowhere/admin.sock');
  const piped = await runToEnd(process.execPath, args);
  t.match(piped, { code: 1, stdout: '', stderr: 'sluice: top needs a terminal; ' });
  const dumb = new Terminal(t, ['env', 'TERM=dumb', ...top('/nowhere/admin.sock')], USUAL);
  t.match(await within('the end of top', dumb.child.exited), { code: 1 });
  await eventually(
    'its sentence',
    () => dumb.text.includes('has no screen to draw on') || undefined,
  );
  const often = await runToEnd(process.execPath, [...args, '--every', '1ms']);
  t.match(often, { code: 2, stderr: 'sluice: --every 1ms: expected a time from 200ms to 1m' });
  const terminal = new Terminal(t, top('/nowhere/admin.sock'), USUAL);
  t.match(await within('the end of top', terminal.child.exited), { code: 1 });
  await eventually('its sentence', () =>
    terminal.text.includes('there is no control socket at') ? true : undefined,
  );
  t.notMatch(terminal.text, '[?1049h');
});

t.test('top gives its terminal to the shell at Ctrl-Z, and takes it again at fg', async (t) => {
  const { socket } = await startOperated(t, {
    toml: serviceText({ name: 'app', backends: [{ address: '127.0.0.1:9' }] }),
  });
  const words = top(socket).join(' ');
  const script = `set -m; ${words}; echo "left: $(stty -a)"; read answer; fg; echo "ended $?"`;
  const terminal = new Terminal(t, ['sh', '-c', script], USUAL);
  await terminal.shows(/^> app /);
  terminal.press('\u001a');
  const left = await eventually('the word of the shell', () => {
    return /left: [\s\S]*?iexten/.exec(terminal.text)?.[0];
  });
  t.match(left, / icanon /);
  t.ok(terminal.text.includes('\u001b[?25h\u001b[?1049l'));
  const again = terminal.screens.next('a screen', (drawn) =>
    drawn.some((row) => /^> app /.test(row)),
  );
  terminal.press('\n');
  await again;
  terminal.press('q');
  t.match(await within('the end of top', terminal.child.exited), { code: 0 });
  await eventually('its exit code', () => terminal.text.includes('ended 0') || undefined);
});

t.test('top ends in good order when its terminal vanishes', async (t) => {
  const [echo] = await startEchoes(t, 1);
  if (echo === undefined) throw new Error('there is one');
  const backends = [{ name: 'a', address: echo.address }];
  const { daemon, socket } = await startOperated(t, {
    toml: serviceText({ name: 'app', backends }),
  });
  await daemon.backendsUp('app', 1);
  const file = join(tempFolder(t), 'code');
  const words = top(socket).join(' ');
  // The shell that has started it lives on, to see how it ends.
  const script = `trap "" HUP; ${words}; echo "ended $?" > ${file}`;
  const terminal = new Terminal(t, ['sh', '-c', script], USUAL);
  await terminal.shows(/^ {4,}a +up /);
  terminal.child.signal('SIGKILL');
  const code = await eventually('its exit code', () => {
    return existsSync(file) ? /^ended (\d+)/.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  });
  t.equal(code, '0');
});
