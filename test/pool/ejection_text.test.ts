import t from 'tap';
import type { BackendId, PoolId } from '../../src/core/brand.js';
import { endEjection, tryEject } from '../../src/pool/ejecting.js';
import { EjectionTracker } from '../../src/pool/ejection.js';
import type { BackendObservation } from '../../src/pool/ejection_cause.js';
import { ejectionRecord, readEjection } from '../../src/pool/ejection_text.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { OUTLIER } from './outlier.js';

const POOL = 0 as PoolId;
const BASE = OUTLIER.baseEjectionMs;
/** The clock of the second process is that much behind. */
const BEHIND_MS = 1_000;

const id = (index: number): BackendId => index as BackendId;

function observed(...failures: readonly number[]): BackendObservation[] {
  return failures.map((failuresInARow, index) => ({
    backend: id(index),
    isUsable: true,
    failuresInARow,
    taken: null,
    spared: null,
    connect: null,
    firstByte: null,
  }));
}

function process(backends: number, spec = OUTLIER) {
  const ledger = new Ledger(createLedgerMemory());
  const members = Array.from({ length: backends }, (_, index) => id(index));
  for (const one of members) {
    ledger.setHealth(one, 'up');
    ledger.setWeight(one, 1);
  }
  const tracker = new EjectionTracker(spec, {
    take: (backend, inARow, nowMs) =>
      tryEject(ledger, { pool: POOL, backend, members, spec, inARow, nowMs }),
    giveBack: (backend) => endEjection(ledger, POOL, backend),
  });
  return { ledger, tracker };
}

/** What the first one reports of `backend`, as the second one reads it. */
function handed(tracker: EjectionTracker, backend: BackendId) {
  const memory = tracker.memoryOf(backend);
  if (memory === null) throw new Error('something is known');
  const text = JSON.stringify(ejectionRecord(memory, (ms) => ms + 500));
  const read = readEjection(JSON.parse(text), (ms) => ms - 500 - BEHIND_MS);
  if (read === null) throw new Error('it can be read');
  return read;
}

t.test('an ejection lasts as long as it would have, and the next one is longer', async (t) => {
  const [first, second] = [process(3), process(3)];
  t.match(first.tracker.look(5_000, observed(9, 0, 0)), [{ kind: 'eject', durationMs: BASE }]);
  t.equal(first.tracker.memoryOf(id(1)), null, 'of a backend that was well nothing is said');
  const known = handed(first.tracker, id(0));
  t.equal(second.tracker.resume(id(0), known, 6_000), 'out');
  t.equal(second.ledger.ejections.state(id(0)), 'real');
  t.not(second.ledger.closed(id(0)), 0, 'it gets no session');
  const untilMs = 5_000 + BASE - BEHIND_MS;
  t.match(second.tracker.memoryOf(id(0)), { kind: 'out', untilMs });
  t.same(second.tracker.look(untilMs - 1, observed(0, 0, 0)), []);
  t.match(second.tracker.look(untilMs, observed(0, 0, 0)), [
    { kind: 'return', because: 'time-over' },
  ]);
  t.equal(second.ledger.closed(id(0)), 0);
  t.match(second.tracker.look(untilMs + 1, observed(9, 0, 0)), [
    { kind: 'eject', timesInARow: 2, durationMs: 2 * BASE },
  ]);
});

t.test('a backend that is back is remembered until it is forgiven', async (t) => {
  const [first, second] = [process(3), process(3)];
  first.tracker.look(0, observed(9, 0, 0));
  first.tracker.look(BASE, observed(0, 0, 0));
  t.equal(second.tracker.resume(id(0), handed(first.tracker, id(0)), BASE), 'in');
  t.match(second.tracker.look(BASE + 1, observed(9, 0, 0)), [{ kind: 'eject', timesInARow: 2 }]);
});

t.test('no backend is ejected that must not be by the settings and the pool of now', async (t) => {
  const first = process(3);
  first.tracker.look(0, observed(9, 0, 0));
  const known = handed(first.tracker, id(0));
  const alone = process(1);
  t.equal(alone.tracker.resume(id(0), known, 0), 'in');
  t.equal(alone.ledger.closed(id(0)), 0);
  const dry = process(3, { ...OUTLIER, dryRun: true });
  t.equal(dry.tracker.resume(id(0), known, 0), 'out');
  t.equal(dry.ledger.closed(id(0)), 0, 'a dry run takes no backend out');
});

t.test('what makes no sense is not read', async (t) => {
  const first = process(3);
  first.tracker.look(0, observed(9, 0, 0));
  const memory = first.tracker.memoryOf(id(0));
  if (memory === null) throw new Error('something is known');
  const good = ejectionRecord(memory, (ms) => ms);
  const read = (raw: object) => readEjection(raw as Record<string, unknown>, (ms) => ms);
  t.same(read(good), memory);
  const garbage = [
    { kind: 'away' },
    { timesInARow: '1' },
    { untilMs: null },
    { effect: 'perhaps' },
    { cause: null },
    { cause: { kind: 'mood' } },
    { cause: { kind: 'failures' } },
    { cause: { kind: 'slow-connect', medianMs: 5 } },
    { kind: 'in' },
  ];
  for (const change of garbage) t.equal(read({ ...good, ...change }), null, JSON.stringify(change));
  t.same(read({ ...good, mood: 'good' }), memory, 'what is not known is passed over');
});
