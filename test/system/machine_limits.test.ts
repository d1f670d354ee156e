/** What the machine refuses is one sentence with the remedy, or a daemon that serves less. */
import t from 'tap';
import { BINARY, ENGINE } from '../support/daemon.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { startMute } from '../support/mute_daemon.js';
import { freePort } from '../support/places.js';
import { runToEnd } from '../support/process.js';
import { listenerText, poolText } from '../support/settings.js';

const toml = listenerText({ pool: 'echo' }) + poolText({ name: 'echo', backends: [] });

t.test('with too few open files it ends with 1 and one sentence with the remedy', async (t) => {
  for (const files of [24, 32, 64, 100, 127]) {
    const { child } = await startMute(t, { shell: `ulimit -n ${files}; exec "$@"`, toml });
    t.same(await child.exited, { code: 1, signal: null });
    const [sentence = '', ...more] = child.stderr.past;
    t.match(sentence, new RegExp(`^sluice: only ${files} open files are allowed.*LimitNOFILE`));
    t.same(more, [], 'no stack trace');
  }
});

t.test('with too little address space for its workers it ends the same way', async (t) => {
  for (const kilobytes of [2_000_000, 3_000_000]) {
    const shell = `ulimit -v ${kilobytes}; exec "$@"`;
    const { child } = await startMute(t, { shell, toml, workers: 4 });
    t.same(await child.exited, { code: 1, signal: null });
    t.match(child.stderr.past, [/^sluice: the address space .* is limited to \d+ MiB.*LimitAS/]);
  }
});

t.test('with few open files, little locked memory or address space it serves', async (t) => {
  const backends = await startEchoes(t, 1);
  for (const limit of ['ulimit -n 128', 'ulimit -l 16', 'ulimit -v 8000000']) {
    const port = await freePort();
    const daemon = await startMute(t, {
      shell: `${limit}; exec "$@"`,
      workers: 4,
      toml:
        listenerText({ pool: 'echo', bind: `0.0.0.0:${port}` }) +
        poolText({ name: 'echo', backends }),
    });
    await daemon.serving();
    t.equal(await exchangeOnce({ port }), null, limit);
    daemon.child.signal('SIGTERM');
    t.same(await daemon.child.exited, { code: 0, signal: null });
  }
});

t.test('the demo runs with as few open files as the daemon', async (t) => {
  const command = [process.execPath, BINARY, 'demo', '--for', '1s', '--engine', ENGINE];
  const { code, stderr } = await runToEnd('sh', [
    '-c',
    'ulimit -n 128; exec "$@"',
    'sh',
    ...command,
  ]);
  t.equal(code, 0, stderr);
});
