/** What the kernel knows of the connections of sessions: asked of all while few end. */
import t from 'tap';
import { seededRandom } from '../../../src/core/random.js';
import { PathSampler } from '../../../src/session/tcp/paths.js';
import { bed } from './bed.js';

function taken(sampler: PathSampler, nowMs: number, count: number, lastedMs = 1): number {
  return Array.from({ length: count }, () => sampler.takes(nowMs, lastedMs)).filter(Boolean).length;
}

t.test('while few end all are asked about, and of a crowd some', async (t) => {
  const sampler = new PathSampler(seededRandom(1));
  t.equal(taken(sampler, 0, 100), 100);
  const some = taken(sampler, 500, 6_400);
  t.ok(some > 50 && some < 200, `${some} of 6400`);
  t.equal(taken(sampler, 1_000, 100), 100, 'a second later all again');
});

t.test('sessions that lasted are asked about, up to a bound', async (t) => {
  const sampler = new PathSampler(seededRandom(1));
  t.equal(taken(sampler, 0, 20_000, 60_000), 1_000);
  t.equal(taken(sampler, 999, 1), 0);
  t.equal(taken(sampler, 1_000, 1), 1);
});

t.test('both ways stand in the access line, and that to the backend is counted', async (t) => {
  const test = await bed({ backends: 1 });
  const { tcp } = test.worker(0);
  tcp.path = (_, side) =>
    side === 'client' ? { rttMs: 20, retransmits: 3 } : { rttMs: 0.3, retransmits: 1 };
  const pair = test.relay();
  tcp.ends(pair, { kind: 'finished', first: 'client' });
  t.match(test.records, [
    { clientPath: { rttMs: 20, retransmits: 3 }, backendPath: { rttMs: 0.3, retransmits: 1 } },
  ]);
  // 0.25 ms < 0.3 ms <= 0.5 ms, and one segment.
  t.equal(test.buckets(0, 'rtt')[3], 1);
  t.equal(test.buckets(0, 'retransmits')[1], 1);
});

t.test('what the kernel does not say is not known, and not counted', async (t) => {
  const test = await bed({ backends: 1 });
  const { tcp } = test.worker(0);
  tcp.path = (_, side) => (side === 'client' ? null : { rttMs: null, retransmits: 0 });
  tcp.ends(test.relay(), { kind: 'reset', by: 'backend' });
  t.match(test.records, [{ clientPath: null, backendPath: { rttMs: null } }]);
  t.ok(test.buckets(0, 'rtt').every((count) => count === 0));
  t.equal(test.buckets(0, 'retransmits')[0], 1);
});
