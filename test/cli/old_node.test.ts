/** bin/sluice says that a Node.js is too old before anything newer is read. */
import { join } from 'node:path';
import t from 'tap';
import { BINARY } from '../support/daemon.js';
import { tempFolder } from '../support/places.js';
import { mustRun, runToEnd } from '../support/process.js';

const SENTENCE = /^sluice: this is Node\.js \S+ \(\/\S+\), and sluice needs 20\.12 or newer; .*$/;

t.test('versions below 20.12 are refused in one sentence, and no other', async (t) => {
  const run = (version: string) => {
    const versions = `{ ...process.versions, node: '${version}' }`;
    const code = `Object.defineProperty(process, 'versions', { value: ${versions} })`;
    const preload = `data:text/javascript,${encodeURIComponent(code)}`;
    return runToEnd(process.execPath, ['--import', preload, BINARY, '--version']);
  };
  for (const version of ['12.22.12', '18.20.4', '19.9.0', '20.0.0', '20.11.1']) {
    const { code, stdout, stderr } = await run(version);
    t.equal(code, 1, version);
    t.equal(stdout, '');
    t.match(stderr, SENTENCE);
    t.match(stderr, ` ${version} `);
  }
  for (const version of ['20.12.0', '20.20.2', '21.0.0', '22.3.0', '100.0.0']) {
    const { code, stdout, stderr } = await run(version);
    t.same([code, stderr], [0, ''], version);
    t.match(stdout, /^\d+\.\d+\.\d+$/);
  }
});

t.test('a real Node.js 18 reads so far and says so', async (t) => {
  const folder = tempFolder(t);
  const wanted = `node-linux-${process.arch}@18`;
  const install = ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  await mustRun('npm', [...install, '--prefix', folder, wanted], { limitMs: 120_000 });
  const old = join(folder, `node_modules/node-linux-${process.arch}/bin/node`);
  for (const words of [['run'], ['check', '-c', '/nowhere'], ['--help']]) {
    const { code, stdout, stderr } = await runToEnd(old, [BINARY, ...words]);
    t.equal(code, 1);
    t.equal(stdout, '');
    t.match(stderr, SENTENCE);
  }
});
