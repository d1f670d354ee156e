/** Questions to workers: sessions over several of them, sorted, in pages, and ordered to end. */
import t from 'tap';
import { Inquiries } from '../../src/control/inquiries.js';
import { killSessions, listSessions, type SessionQuery } from '../../src/control/session_list.js';
import { WorkerAnswers } from '../../src/control/worker_answers.js';
import type { WorkerId } from '../../src/core/brand.js';
import type { SessionFilter } from '../../src/core/questions.js';
import { seededRandom } from '../../src/core/random.js';
import { type Bed, bed } from '../session/tcp/bed.js';

const ANY: SessionFilter = {
  id: null,
  listener: null,
  pool: null,
  backend: null,
  client: null,
  olderMs: 0,
  idleMs: 0,
};
const ALL: SessionQuery = { filter: ANY, sort: 'age', limit: 100, after: null };

t.test('sessions of all workers come in one order, the oldest first', async (t) => {
  const { bed, inquiries } = await asked(2);
  for (const worker of [1, 0, 1]) {
    bed.relay(worker);
    await bed.time.pass(10);
  }
  const { rows, nowMs, next, missing } = await listSessions(inquiries, ALL);
  t.same(
    rows.map(({ id, sinceMs }) => [id[0], nowMs - sinceMs]),
    [
      ['1', 30],
      ['0', 20],
      ['1', 10],
    ],
  );
  t.match(rows[0], { listener: 'front', pool: 'pg', client: '198.51.100.1:10000' });
  t.match(rows[0], { state: 'relaying', backend: /^b/, activeMs: 0, bytesIn: 0, bytesOut: 0 });
  t.same([next, missing], [null, []]);
});

t.test('pages neither repeat nor skip a session, whatever they are sorted by', async (t) => {
  const { bed, inquiries } = await asked(3);
  for (let count = 0; count < 50; count++) bed.relay(count % 3);
  for (const sort of ['age', 'bytes', 'idle'] as const) {
    const seen: string[] = [];
    for (let after: SessionQuery['after'] = null, more = true; more; more = after !== null) {
      const page = await listSessions(inquiries, { ...ALL, sort, limit: 7, after });
      seen.push(...page.rows.map(({ id }) => id));
      after = page.next;
    }
    t.equal(seen.length, 50);
    t.equal(new Set(seen).size, 50);
  }
});

t.test('each filter leaves out what it does not mean', async (t) => {
  const { bed, inquiries } = await asked(1);
  bed.relay();
  await bed.time.pass(5_000);
  bed.accept();
  const count = async (filter: Partial<SessionFilter>): Promise<number> =>
    (await listSessions(inquiries, { ...ALL, filter: { ...ANY, ...filter } })).rows.length;
  t.equal(await count({}), 2);
  t.equal(await count({ olderMs: 5_000 }), 1);
  t.equal(await count({ idleMs: 4_000 }), 1);
  t.equal(await count({ listener: 'front' }), 2);
  t.equal(await count({ listener: 'other' }), 0);
  t.equal(await count({ pool: 'other' }), 0);
  t.equal(await count({ backend: 'nobody' }), 0);
  t.equal(await count({ client: { host: '198.51.100.0', family: 4, prefixBits: 24 } }), 2);
  t.equal(await count({ client: { host: '198.51.100.2', family: 4, prefixBits: 32 } }), 0);
  const [row] = (await listSessions(inquiries, ALL)).rows;
  t.equal(await count({ id: row?.id ?? '' }), 1);
});

t.test('a session that is killed ends, and no other; its access line has its name', async (t) => {
  const { bed, inquiries } = await asked(2);
  for (const worker of [0, 1, 1]) bed.relay(worker);
  const [row] = (await listSessions(inquiries, ALL)).rows;
  const filter = { ...ANY, id: row?.id ?? '' };
  t.equal((await killSessions(inquiries, filter, 0)).killed, 1);
  bed.turn();
  t.match(bed.records, [{ id: row?.id, end: { by: 'sluice', cause: 'killed' } }]);
  t.equal((await killSessions(inquiries, filter, 0)).killed, 0);
});

t.test('kills of many are spread over their span', async (t) => {
  const { bed, inquiries } = await asked(1);
  for (let count = 0; count < 40; count++) bed.relay();
  t.equal((await killSessions(inquiries, ANY, 10_000)).killed, 40);
  const { rows } = await listSessions(inquiries, ALL);
  t.ok(rows.every(({ state }) => state === 'draining'));
  await bed.time.pass(5_000);
  for (let turn = 0; turn < 3; turn++) bed.turn();
  t.ok(Math.abs(bed.records.length - 20) <= 2, `${bed.records.length} of 40 after half of it`);
});

t.test('a worker that does not answer is named, at once when its thread is gone', async (t) => {
  const { bed, inquiries, mute } = await asked(2);
  bed.relay(0);
  mute(1);
  const asking = listSessions(inquiries, ALL);
  await bed.time.pass(0);
  await bed.time.pass(2_000);
  const { rows, missing } = await asking;
  t.equal(rows.length, 1);
  t.match(missing, [/^worker 1 did not answer/]);
  const again = listSessions(inquiries, ALL);
  inquiries.lost(1 as WorkerId);
  t.equal((await again).missing.length, 1);
  t.equal((await listSessions(inquiries, ALL)).missing.length, 1);
  inquiries.replaced(1 as WorkerId);
  await bed.time.pass(2_000);
  t.equal(bed.time.pending, 0);
});

t.test('each question has its own time, whatever else is asked meanwhile', async (t) => {
  const { bed, inquiries, mute } = await asked(1);
  mute(0);
  const silentMs: number[] = [];
  for (let count = 0; count < 3; count++) {
    void listSessions(inquiries, ALL).then(() => silentMs.push(bed.time.nowMs()));
    await bed.time.pass(900);
  }
  await bed.time.pass(2_000);
  t.same(silentMs, [2_000, 2_900, 3_800]);
  t.equal(bed.time.pending, 0);
});

async function asked(workers: number) {
  const it: Bed = await bed({ workers });
  const muted = new Set<number>();
  const answers = it.workers.map(
    ({ plane }, worker) =>
      new WorkerAnswers({
        plane,
        clock: it.time,
        random: seededRandom(1),
        post: (message) => {
          if ('ask' in message && !muted.has(worker)) inquiries.heard(message);
        },
        turn: () => Promise.resolve(),
        internalError: (error) => {
          throw error;
        },
      }),
  );
  const inquiries: Inquiries = new Inquiries({
    clock: it.time,
    timers: it.time,
    fleet: () => ({
      ids: () => answers.map((_, worker) => worker as WorkerId),
      send: (worker, message) => {
        if (message.kind === 'ask') answers[worker]?.ask(message.ask, message.question);
      },
    }),
  });
  return { bed: it, inquiries, mute: (worker: number) => muted.add(worker) };
}
