/** The commands of bin/sluice, as a user types them. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { closeDescriptor } from '../../src/kernel/descriptor.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { openListeningSocket } from '../../src/kernel/sockets.js';
import { BINARY } from '../support/daemon.js';
import { nowMs, within } from '../support/deadline.js';
import { tempFolder } from '../support/places.js';
import { Child, type Output, runToEnd } from '../support/process.js';
import { listenerText, poolText } from '../support/settings.js';

const sluice = (...args: readonly string[]): Promise<Output> =>
  runToEnd(process.execPath, [BINARY, ...args]);

const GOOD =
  '[admin]\nhttp = "127.0.0.1:0"\nsocket = ""\n' +
  listenerText({ pool: 'pg' }) +
  poolText({ name: 'pg', backends: [{ address: '127.0.0.1:5432' }] });

t.test('check says nothing bad of a good file and exits with 0', async (t) => {
  const file = join(tempFolder(t), 'good.toml');
  writeFileSync(file, GOOD);
  const { code, stderr } = await sluice('check', '-c', file);
  t.equal(code, 0);
  t.equal(stderr, '');
});

t.test('- is standard input for commands that read it once, and none for the daemon', async (t) => {
  const fed = (input: string, ...args: readonly string[]): Promise<Output> =>
    runToEnd(process.execPath, [BINARY, ...args], { input });
  const good = { code: 0, stdout: '-: good: 1 listener, 1 pool, 1 backend', stderr: /^$/ };
  t.match(await fed(GOOD, 'check', '-'), good);
  t.match(await fed(`nonsense\n${GOOD}`, 'check', '-c', '-'), { code: 1, stderr: /^-:1:\d+: / });
  const explained = await fed(GOOD, 'explain', '-c', '-', 'pg', '10.0.0.7');
  t.match(explained, { code: 0, stdout: 'It goes to pg/' });
  const haproxy = 'listen db\n mode tcp\n bind :5432\n server a 10.0.0.1:5432\n';
  t.match((await fed(haproxy, 'import', 'haproxy', '-')).stdout, '[listeners.db]');
  const run = await fed(GOOD, 'run', '-c', '-');
  t.match(run, { code: 1, stdout: /^$/, stderr: /^sluice: the daemon takes no file from/ });
  const file = join(tempFolder(t), 'good.toml');
  writeFileSync(file, GOOD);
  for (const how of ['"$0" "$1" check - < "$2"', 'cat "$2" | "$0" "$1" check -']) {
    t.match(await runToEnd('sh', ['-c', how, process.execPath, BINARY, file]), good, how);
  }
  for (const command of ['check -', 'import nginx -', 'simulate --log -']) {
    const how = `"$0" "$1" ${command} < /`;
    const { code, stderr } = await runToEnd('sh', ['-c', how, process.execPath, BINARY]);
    t.equal(code, 1, command);
    t.match(stderr, /cannot be read.*is a directory.*EISDIR/, command);
  }
});

t.test('a socket that listens is no standard input, and waited for by no command', async (t) => {
  const kernel = loadKernel();
  if (!kernel.ok) throw new Error(kernel.error);
  const path = join(tempFolder(t), 'listening.sock');
  for (const local of [ipEndpoint(4, '127.0.0.1', 0), { kind: 'unix', path } as const]) {
    const how = { local, protocol: 'tcp', reusePort: 'exclusive', backlog: 1 } as const;
    const opened = openListeningSocket(kernel.value, how);
    if (!opened.ok) throw new Error(opened.error.sentence);
    const passed = { descriptors: [opened.value.fd], names: ['listening'] };
    for (const command of ['check -', 'import nginx -', 'simulate --log -']) {
      const words = ['-c', `exec "$0" "$1" ${command} <&3`, process.execPath, BINARY];
      const child = new Child('sh', words, { passed });
      t.match(await within(command, child.exited), { code: 1 }, command);
      t.match(child.stderr.past.join(' '), /cannot be read.*without a connection/, command);
    }
    closeDescriptor(kernel.value, opened.value.fd);
  }
});

t.test('an output that a full disk does not take is no success', async (t) => {
  const file = join(tempFolder(t), 'good.toml');
  writeFileSync(file, GOOD);
  for (const words of ['completion bash', `check -c ${file}`, `explain -c ${file} pg 10.0.0.7`]) {
    const how = `"$0" "$1" ${words} > /dev/full`;
    const { code, stderr } = await runToEnd('sh', ['-c', how, process.execPath, BINARY]);
    t.equal(code, 1, words);
    t.match(stderr, /^sluice: standard output cannot be written \(ENOSPC\)/, words);
  }
});

t.test('check reports all problems with their places and exits with 1', async (t) => {
  const file = join(tempFolder(t), 'bad.toml');
  const bad = GOOD.replace('policy = "p2c"', 'polizy = "p2c"')
    .replace('pool = "pg"', 'pool = "gp"')
    .replace('fall = 2', 'fall = "two"')
    .replace('interval = "500ms"', 'interval = 500');
  writeFileSync(file, bad);
  const { code, stdout, stderr } = await sluice('check', '-c', file);
  t.equal(code, 1);
  const told = (stdout + stderr).split('\n').filter((line) => line.startsWith(`${file}:`));
  const place = (text: string): string =>
    `${file}:${1 + bad.slice(0, bad.indexOf(text)).split('\n').length - 1}:`;
  const shape = /^\S+:\d+:\d+: \S+: .+ \(expected .+; got .+\)$/;
  for (const line of told) t.match(line, shape);
  const about = (key: string): string => told.find((line) => line.includes(`: ${key}: `)) ?? '';
  t.match(about('pools.pg.polizy'), 'policy', 'an unknown key names the nearest known one');
  t.ok(about('pools.pg.polizy').startsWith(place('polizy =')));
  t.ok(about('listeners.pg.pool').startsWith(place('pool = "gp"')));
  t.ok(about('pools.pg.health.fall').startsWith(place('fall = "two"')));
  t.ok(about('pools.pg.health.interval').startsWith(place('interval = 500')));
  t.equal(told.length, 4);
});

t.test('a check shows the way: each problem says what would be right', async (t) => {
  const file = join(tempFolder(t), 'ways.toml');
  const wrong = GOOD.replace('policy = "p2c"', 'policy = "leastconn"\ntls = true').replace(
    'pool = "pg"',
    'pool = "pg"\nidle_timeout = "5 seconds"',
  );
  writeFileSync(file, wrong);
  const { code, stderr } = await sluice('check', file);
  t.equal(code, 1);
  t.match(stderr, /idle_timeout: not a duration \(expected "5s", .*; got "5 seconds"\)/);
  t.match(stderr, /pools\.pg\.policy: .* \(expected "least-connections", .*; got "leastconn"\)/);
  t.match(stderr, /pools\.pg\.tls: .* \(expected it under \[pools\.NAME\.health\]; got "tls"\)/);
  t.equal(stderr.trim().split('\n').length, 3);
});

t.test('what is allowed and nearly always a mistake is a warning, and exit code 0', async (t) => {
  const file = join(tempFolder(t), 'odd.toml');
  const probe = 'probe = "postgres"\nuser = "u"\npassword_file = "/nowhere/password"';
  const udp =
    listenerText({ name: 'dns', pool: 'dns', protocol: 'udp' }) +
    '[[pools.dns.backends]]\naddress = "127.0.0.1:53"\n';
  writeFileSync(file, GOOD.replace(/probe = "tcp"/, probe) + udp);
  const { code, stderr } = await sluice('check', file);
  t.equal(code, 0);
  t.match(stderr, /warning: pools\.pg\.health\.password_file: .*\/nowhere\/password/);
  t.match(stderr, /warning: pools\.dns\.health\.probe: the default probe connects by TCP/);
});

t.test('a check takes as long as its file is, and reports a hundred problems', async (t) => {
  const file = join(tempFolder(t), 'long.toml');
  const backends = Array.from({ length: 80_000 }, (_, index) => {
    return `[[pools.pg.backends]]\naddress = "10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:1"\n`;
  });
  const unknown = Array.from({ length: 390_000 }, (_, index) => `key${index} = 1\n`);
  const files: readonly (readonly [text: string, lines: number, told: RegExp])[] = [
    [GOOD + backends.join(''), 2, /too many backends in all pools \(expected at most 16384/],
    [`${GOOD}[pools.more]\n${unknown.join('')}`, 101, /more than 10000 problems/],
    [GOOD + `# ${'x'.repeat(1_021)}\n`.repeat(17 * 1_024), 1, /at most 16777216 bytes/],
  ];
  for (const [text, lines, told] of files) {
    writeFileSync(file, text);
    const shell = '"$@"; code=$?; times; exit $code';
    const words = ['-c', shell, 'sh', process.execPath, BINARY, 'check', file];
    const { code, stdout, stderr } = await runToEnd('sh', words);
    t.equal(code, 1);
    t.match(stderr, told);
    const found = stderr.trim().split('\n').length;
    t.ok(found >= lines && found <= 103, `${found} lines`);
    t.ok(cpuSeconds(stdout) < 15, `${cpuSeconds(stdout)} s of CPU`);
  }
});

/** Of the children of a shell: the second line of `times`, such as "0m1.230000s 0m0.040000s". */
function cpuSeconds(times: string): number {
  const parts =
    times
      .trim()
      .split('\n')
      .at(-1)
      ?.matchAll(/(\d+)m([\d.]+)s/g) ?? [];
  return [...parts].reduce((sum, [, minutes, s]) => sum + 60 * Number(minutes) + Number(s), 0);
}

t.test('a file that is not there is one plain sentence and exit code 1', async (t) => {
  for (const command of ['check', 'run']) {
    const { code, stdout, stderr } = await sluice(command, '-c', '/nowhere/sluice.toml');
    t.equal(code, 1);
    t.match(stdout + stderr, '/nowhere/sluice.toml');
    t.notMatch(stdout + stderr, /\n\s+at /, 'no stack trace');
  }
});

t.test('the socket may stand before the command, and an option is no value', async (t) => {
  const nowhere = join(tempFolder(t), 'none.sock');
  const other = `${nowhere}.other`;
  const before = await sluice('ctl', '--socket', nowhere, 'status');
  t.match(before, { code: 1, stderr: `there is no control socket at ${nowhere}` });
  const both = await sluice('ctl', '--socket', nowhere, 'status', '--socket', other);
  t.match(both, { code: 2, stderr: 'two of --socket' });
  const eaten = await sluice('ctl', 'drain', 'a/b', '--because', '--wait', '--socket', nowhere);
  t.match(eaten, { code: 2, stderr: '--because takes a value, and --wait is an option' });
  const missing = await sluice('ctl', 'drain', 'a/b', '--because', '--socket', nowhere);
  t.match(missing, { code: 2, stderr: /--because <text>' argument missing/ });
});

t.test('wrong usage is exit code 2, help is 0 and shows the defaults', async (t) => {
  t.equal((await sluice('chekc')).code, 2);
  t.equal((await sluice('check', '--no-such-option')).code, 2);
  const two = await sluice('run', '-c', 'one.toml', '-c', 'other.toml');
  t.match(two, { code: 2, stderr: /two of --config, one\.toml and other\.toml; name one/ });
  const help = await sluice('--help');
  t.equal(help.code, 0);
  t.match(help.stdout, /run[\s\S]*check[\s\S]*demo/);
  const run = await sluice('run', '--help');
  t.equal(run.code, 0);
  t.match(run.stdout, '/etc/sluice/sluice.toml');
});

t.test('a start that fails says why once, whatever its sources have answered', async (t) => {
  const other = createServer();
  t.teardown(() => other.close());
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const folder = tempFolder(t);
  const [file, members] = [join(folder, 'sluice.toml'), join(folder, 'members.txt')];
  writeFileSync(members, '127.0.0.1:1\n');
  const listener = listenerText({ name: 'in', pool: 'p', bind: `127.0.0.1:${port}` });
  const source = `[pools.p]\n[[pools.p.discovery]]\nkind = "file"\npath = "${members}"\n`;
  writeFileSync(file, `[admin]\nhttp = ""\nsocket = ""\n${listener}${source}`);
  const { code, stdout } = await sluice('run', '-c', file);
  t.equal(code, 1);
  t.match(stdout, '"start-failed"');
  t.notMatch(stdout, 'discovery-refused');
});

t.test('what is no socket is reported as that, and not that sluice does not run', async (t) => {
  for (const path of [tempFolder(t), BINARY]) {
    const told = await sluice('ctl', 'status', '--socket', path);
    t.match(told, { code: 1, stderr: `${path} is no socket` });
  }
});

t.test('the demo balances, survives a death, and ends by itself with a summary', async (t) => {
  const beganMs = nowMs();
  const { code, stdout, stderr } = await sluice('demo', '--for', '10s');
  const tookMs = nowMs() - beganMs;
  t.equal(code, 0, stderr);
  t.ok(tookMs > 9_500 && tookMs < 16_000, `after ${Math.round(tookMs)} ms`);
  t.match(stdout, /http:\/\/127\.0\.0\.1:\d+/, 'the admin address');
  t.match(stdout, /\bdown\b/, 'one backend dies');
  t.match(stdout, /\d+ .*(sessions|connections)/, 'a summary');
  t.match(stdout, /\b0 (sessions )?(failed|refused)/, 'which says that nothing failed');
});

t.test('doctor shows what this machine allows, for people and for programs', async (t) => {
  const text = await sluice('doctor');
  t.equal(text.code, 0, text.stderr);
  t.match(text.stdout, /node +yes/);
  t.match(text.stdout, /open files +\d+ +\d+ TCP sessions/);
  const json = await sluice('doctor', '--json');
  t.equal(json.code, 0);
  t.match(JSON.parse(json.stdout), { verdict: 'good', engines: [Object], limits: [Object] });
  const file = join(tempFolder(t), 'sluice.toml');
  const pool = poolText({ name: 'p', backends: [{ address: '127.0.0.1:1' }] });
  writeFileSync(file, listenerText({ pool: 'p' }) + pool);
  const ofFile = await sluice('doctor', '-c', file);
  t.match(ofFile.stdout, /p +1 source address +\d+ sessions to one backend address; no limit/);
  writeFileSync(file, 'nonsense');
  t.match(await sluice('doctor', '-c', file), { code: 1, stderr: /sluice\.toml:1/ });
});

t.test('simulate compares the policies, and reports every word that it cannot use', async (t) => {
  const args = ['--duration', '2s', '--rate', '200', '--policy', 'p2c,random', '--json'];
  const good = await sluice('simulate', ...args, '--down', 'b1@500ms-1s');
  t.equal(good.code, 0, good.stderr);
  t.match(JSON.parse(good.stdout), { policies: [{ policy: 'p2c' }, { policy: 'random' }] });
  const bad = await sluice('simulate', '--rate', 'fast', '--policy', 'best');
  t.equal(bad.code, 2);
  t.match(bad.stderr, /^--policy: expected .*\n--rate: expected .*\n?$/);
});

t.test('explain says what the access list and the limits say of a client', async (t) => {
  const folder = tempFolder(t);
  const denied = join(folder, 'denied.txt');
  writeFileSync(denied, '192.0.2.0/24\n');
  const lines = `access.deny_files = ["${denied}"]\nlimits.sessions_per_client = 3`;
  const backends = [{ address: '127.0.0.1:1', name: 'one' }];
  const file = join(folder, 'sluice.toml');
  const listener = listenerText({ name: 'in', pool: 'p', lines });
  writeFileSync(file, listener + poolText({ name: 'p', backends }));
  const told = (client: string) => sluice('explain', '-c', file, 'in', client);
  const refused = (await told('192.0.2.7')).stdout;
  t.match(refused, 'The access list: denied, 192.0.2.0/24 decides.\n');
  t.match(refused, "\nIt is refused: denied, by the listener's access list.\n");
  const served = (await told('192.0.3.7')).stdout;
  t.match(served, 'The access list: allowed, it is in none of its blocks.\n');
  t.match(served, 'The limits, at rest: it may have 3 sessions at a time.\nIt goes to p/one.');
  const wrong = await told('::ffff:192.0.2.7');
  t.match(wrong, { code: 2, stderr: /write it as IPv4, 192\.0\.2\.7/ });
  const both = ['--server-name', 'db.example', '--database', 'd'];
  const never = await sluice('explain', '-c', file, 'in', '192.0.3.7', ...both);
  t.match(never, { code: 2, stdout: /^$/, stderr: /no client says both: a server name/ });
});

t.test('help of each command shows its options with their defaults', async (t) => {
  for (const command of ['run', 'check', 'demo', 'doctor', 'explain', 'simulate']) {
    const { code, stdout } = await sluice(command, '--help');
    t.equal(code, 0);
    t.match(stdout, `Usage: sluice ${command}`);
  }
  t.match((await sluice('demo', '--help')).stdout, /--engine .*"auto"/);
});
