/** `sluice demo` as a newcomer runs it; its ten seconds to the end are in commands.test.ts. */
import t from 'tap';
import { BINARY, ENGINE } from '../support/daemon.js';
import { type Child, runToEnd, startChild } from '../support/process.js';
import { haveServers } from '../support/require_server.js';

const pictures = /^ *\d+ s \|/;

async function adminAddress(demo: Child): Promise<string> {
  const line = await demo.stdout.first('the admin address', (text) => text.includes('http://'));
  return /http:\/\/\S+/.exec(line)?.[0] ?? '';
}

t.test('it runs until interrupted, then prints what clients saw and exits with 0', async (t) => {
  const demo = startChild(t, process.execPath, [BINARY, 'demo', '--engine', ENGINE]);
  await demo.stdout.first('a picture', (text) => pictures.test(text));
  demo.signal('SIGINT');
  t.match(await demo.exited, { code: 0, signal: null });
  t.match(demo.stdout.past.join('\n'), /\d+ sessions, 0 failed\./);
  t.same(demo.stderr.past, [], 'the log does not disturb');
});

t.test('its admin page shows the same backends while it runs', async (t) => {
  const demo = startChild(t, process.execPath, [BINARY, 'demo', '--engine', ENGINE]);
  const admin = await adminAddress(demo);
  await demo.stdout.first('a picture', (text) => pictures.test(text));
  const health = await (await fetch(`${admin}health`)).text();
  for (const name of ['fast', 'medium', 'slow']) t.match(health, name);
  t.equal((await fetch(`${admin}healthz`)).status, 200);
});

t.test('a terminal gets a table that is drawn over, not a line per second', async (t) => {
  if (!haveServers(t, 'script')) return;
  const command = `"${process.execPath}" "${BINARY}" demo --engine ${ENGINE} --for 2s`;
  const { code, stdout } = await runToEnd('script', ['-qec', command, '/dev/null']);
  t.equal(code, 0);
  t.match(stdout, /BACKEND +ADDRESS +STATE/);
  t.match(stdout, '\x1b[6A\x1b[J', 'six lines up, and erased');
  t.notMatch(stdout, / s \| fast/);
});

t.test('a reader that goes away ends it without a complaint', async (t) => {
  const command = `"${process.execPath}" "${BINARY}" demo --engine ${ENGINE} --for 20s | head -n 1`;
  const { code, stdout, stderr } = await runToEnd('sh', ['-c', command]);
  t.equal(code, 0);
  t.match(stdout, 'demo');
  t.equal(stderr, '');
});

t.test('words that it cannot use are one sentence each, and exit code 2', async (t) => {
  const args = [BINARY, 'demo', '--for', 'ever', '--engine', 'epoll'];
  const { code, stdout, stderr } = await runToEnd(process.execPath, args);
  t.equal(code, 2);
  t.equal(stdout, '');
  t.match(stderr, /^--for: expected .*\n--engine: not in this version/);
});
