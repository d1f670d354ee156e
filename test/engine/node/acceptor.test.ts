/** Listening sockets of the node engine, where the two kinds differ. */
import { existsSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import type { ListenSource } from '../../../src/core/plan.js';
import { settled, withEngine } from '../../contract/tcp/bench.js';
import { connectPeer, LOOPBACK, startPeer } from '../../support/peer.js';
import { makerOf } from './harness.js';

const bound = makerOf({ sockets: 'bind', time: 'fake' });
const described = makerOf({ sockets: 'descriptor', time: 'fake' });
const OTHER = 2;

withEngine(t, bound, 'an address in use comes back as a sentence', async (bench, t) => {
  const { engine } = bench.driver;
  const source = bench.under.source(bench.listener, 1);
  const outcome = await engine.openListener(OTHER, source, 1);
  t.match(outcome, {
    ok: false,
    errno: 'EADDRINUSE',
    sentence: /^cannot listen on 127\.0\.0\.1:\d+: address already in use \(EADDRINUSE\)$/,
  });
  t.throws(() => engine.closeListener(OTHER), /listener 2 is not open/);
});

withEngine(
  t,
  bound,
  'a descriptor without foreign calls comes back as a sentence',
  async (bench, t) => {
    const source = { kind: 'descriptor', fd: 0, local: LOOPBACK } as const;
    const outcome = await bench.driver.engine.openListener(OTHER, source, 1);
    t.match(outcome, { ok: false, errno: 'ENOSYS' });
  },
);

withEngine(
  t,
  described,
  'a descriptor that is no socket comes back as a sentence',
  async (bench, t) => {
    const source = { kind: 'descriptor', fd: 1_000_000, local: LOOPBACK } as const;
    const outcome = await bench.driver.engine.openListener(OTHER, source, 1);
    t.match(outcome, { ok: false, errno: 'EBADF' });
  },
);

withEngine(t, bound, 'an IPv6 wildcard leaves the port to IPv4', async (bench, t) => {
  const { engine } = bench.driver;
  const wildcard = (family: 4 | 6, port: number): ListenSource =>
    bench.under.source(ipEndpoint(family, family === 4 ? '0.0.0.0' : '::', port), 1);
  const beside: string[] = [];
  // Another program may have the port for IPv4 by chance, but not ten times.
  for (let attempt = 0; attempt < 10 && !beside.includes('open'); attempt++) {
    const six = await engine.openListener(OTHER, wildcard(6, 0), 1);
    const port = six.ok && six.local.kind === 'ip' ? six.local.port : 0;
    const four = await engine.openListener(OTHER + 1, wildcard(4, port), 1);
    beside.push(four.ok ? 'open' : four.errno);
    engine.closeListener(OTHER);
    if (four.ok) engine.closeListener(OTHER + 1);
  }
  t.equal(beside.at(-1), 'open', beside.join(' '));
});

withEngine(t, bound, 'while paused, more clients than the backlog are reset', async (bench, t) => {
  const { driver } = bench;
  const opened = await driver.engine.openListener(OTHER, bench.under.source(LOOPBACK, 2), 2);
  if (!opened.ok) throw new Error(opened.sentence);
  driver.engine.pauseListener(OTHER);
  const patient = [await connectPeer(opened.local), await connectPeer(opened.local)];
  await settled(() => driver.edges.length);
  t.equal(await startPeer(opened.local).ending(), 'reset');
  driver.engine.resumeListener(OTHER);
  for (const _ of patient) t.equal((await driver.next('accepted')).key, OTHER);
});

withEngine(
  t,
  bound,
  'the path of a unix socket goes with its listener',
  async (bench, t) => {
    t.ok(existsSync(join(bench.folder, 'listener')));
    bench.driver.engine.closeListener(1);
    await settled(() => 0);
    t.notOk(existsSync(join(bench.folder, 'listener')));
  },
  { listen: 'unix' },
);

withEngine(
  t,
  bound,
  'a file that is at the path of a closed listener by then stays',
  async (bench, t) => {
    const { engine } = bench.driver;
    const path = join(bench.folder, 'listener');
    const local = { kind: 'unix', path } as const;
    unlinkSync(path);
    t.match(await engine.openListener(OTHER, bench.under.source(local, 1), 1), { ok: true });
    engine.closeListener(1);
    await connectPeer(local);
    t.equal((await bench.driver.next('accepted')).key, OTHER);
    engine.closeListener(OTHER);
    t.same(readdirSync(bench.folder), []);
  },
  { listen: 'unix' },
);

withEngine(t, described, 'pausing closes only the duplicate', async (bench, t) => {
  const { driver } = bench;
  for (let round = 0; round < 3; round++) {
    driver.engine.pauseListener(1);
    const client = await connectPeer(bench.listener);
    client.send('kept in the kernel');
    driver.engine.resumeListener(1);
    driver.proxyTo(bench.backend.endpoint);
    await driver.next('accepted');
    t.equal(await (await bench.backend.next()).takeText(18), 'kept in the kernel');
  }
});

t.test('an acceptor that is paused while it opens listens when resumed', async (t) => {
  withEngine(t, described, 'and openListener has answered', async (bench, t) => {
    const { driver } = bench;
    const source = bench.under.source(LOOPBACK, 8);
    const opening = driver.engine.openListener(OTHER, source, 8);
    driver.engine.pauseListener(OTHER);
    const opened = await opening;
    if (!opened.ok) throw new Error(opened.sentence);
    t.same(opened.local, source.local);
    await connectPeer(opened.local);
    await settled(() => driver.edges.length);
    t.equal(driver.count('accepted'), 0);
    driver.engine.resumeListener(OTHER);
    t.equal((await driver.next('accepted')).key, OTHER);
  });
});
