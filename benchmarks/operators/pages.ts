/**
 * What open pages cost the main thread of a daemon with very many backends: 50 pages that follow
 * `/v1/live`, on five different screens. Judged by the time that the kernel says the thread ran.
 *
 *   node dist/benchmarks/operators/pages.js [--engine uring|node] [--only 1000x10]
 *     [--seconds 15] [--rounds 3]
 */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, tempFolder } from '../../test/support/places.js';
import { Child } from '../../test/support/process.js';
import { repositoryRoot } from '../../test/support/repository.js';
import { listenerText, poolText } from '../../test/support/settings.js';
import { OPEN_FILES } from '../macro/peers.js';
import { type Endings, withEndings } from '../support/endings.js';
import { describeMachine } from '../support/machine.js';

const PAGES = 50;
/** What the dashboard asks for: its first screen, and what a search, a state and an order make. */
const SCREENS = ['', '&state=trouble', '&filter=b7', '&sort=sessions', '&sort=name'].map(
  (more) => `/v1/live?lists=first&limit=50${more}`,
);
/** Pools, and backends of each. */
const SIZES = [
  [1, 100],
  [1_000, 10],
  [1, 10_000],
] as const;
const START_MS = 10_000;
/** Pages have had some looks by then; of code that seldom runs none is compiled before. */
const WARM_MS = 40_000;

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'uring' },
    seconds: { type: 'string', default: '15' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
const seconds = Number(values.seconds);
process.stdout.write(
  `${describeMachine()}\nengine ${values.engine}; ${PAGES} pages on ${SCREENS.length} screens, ` +
    `rounds of ${seconds} s; in % of the main thread\n`,
);
for (const [pools, each] of SIZES) {
  if (values.only !== '' && values.only !== `${pools}x${each}`) continue;
  await withEndings((scope) => measured(scope, pools, each));
}
process.exit();

async function measured(scope: Endings, pools: number, each: number): Promise<void> {
  const { pid, admin } = await start(scope, pools, each);
  const busy = async (): Promise<number> => {
    const [beganMs, ranMs] = [performance.now(), ranMsOf(pid)];
    await wait(seconds * 1_000);
    return (100 * (ranMsOf(pid) - ranMs)) / (performance.now() - beganMs);
  };
  await wait(START_MS);
  const without = await busy();
  const looks = await openPages(scope, admin);
  await wait(WARM_MS);
  for (let round = 0; round < Number(values.rounds); round++) {
    const before = looks.count;
    const part = await busy();
    const apart = (seconds * PAGES) / (looks.count - before);
    process.stdout.write(
      `${pools}x${each}: ${(part - without).toFixed(2)}, beside ${without.toFixed(2)} without ` +
        `pages; a look every ${apart.toFixed(1)} s\n`,
    );
  }
}

/** Of the main thread, in all. */
function ranMsOf(pid: number): number {
  const [ns = ''] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return Number(ns) / 1e6;
}

/** Resolves when each has had its first look; counts looks from then on. */
async function openPages(scope: Endings, port: number): Promise<{ readonly count: number }> {
  const looks = { count: 0 };
  const opened = Array.from({ length: PAGES }, async (_, index) => {
    const page = connect(port, '127.0.0.1');
    scope.teardown(() => page.destroy());
    page.write(
      `GET ${SCREENS[index % SCREENS.length]} HTTP/1.1\r\nHost: localhost\r\n` +
        'Accept: text/event-stream\r\n\r\n',
    );
    await once(page, 'data');
    page.on('data', (piece: Buffer) => {
      if (piece.includes('event: look\n')) looks.count++;
    });
  });
  await Promise.all(opened);
  return looks;
}

/** Backends are never dialled: there are no clients. */
async function start(scope: Endings, pools: number, each: number) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  scope.teardown(() => server.close());
  const { port: target } = server.address() as AddressInfo;
  const folder = tempFolder(scope);
  const admin = await freePort();
  const names = Array.from({ length: pools }, (_, index) => `pool${index}`);
  const texts = names.map((name, pool) => {
    const backends = Array.from({ length: each }, (_, index) => {
      const number = pool * each + index;
      const address = `127.1.${number >> 8}.${number & 255}:${target}`;
      return { name: `b${index}`, address };
    });
    return poolText({ name, policy: 'p2c', backends, health: 'probe = "none"' });
  });
  const file = join(folder, 'sluice.toml');
  writeFileSync(
    file,
    `[daemon]\nengine = "${values.engine}"\nworkers = 1\nstate_directory = ""\n` +
      `[admin]\nhttp = "127.0.0.1:${admin}"\nsocket = ""\n` +
      `${listenerText({ pool: 'pool0', bind: `127.0.0.1:${await freePort()}` })}${texts.join('')}`,
  );
  const args = [join(repositoryRoot, 'bin/sluice'), 'run', '-c', file];
  const child = new Child(process.execPath, args, { openFiles: OPEN_FILES });
  scope.teardown(() => child.stop('SIGKILL'));
  await child.stdout.first('the daemon', (line) => line.includes('"event":"ready"'));
  return { pid: child.pid, admin };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
