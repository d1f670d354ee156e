import t from 'tap';
import type { BackendId, PoolId } from '../../src/core/brand.js';
import { below, seededRandom } from '../../src/core/random.js';
import type { OutlierSpec } from '../../src/core/spec.js';
import { type EjectionAnswer, endEjection, tryEject } from '../../src/pool/ejecting.js';
import { type EjectionDecision, EjectionTracker } from '../../src/pool/ejection.js';
import type { BackendObservation } from '../../src/pool/ejection_cause.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';
import { seed } from '../support/seed.js';
import { OUTLIER } from './outlier.js';

const BASE = OUTLIER.baseEjectionMs;
const INTERVAL = OUTLIER.intervalMs;

const POOL = 0 as PoolId;
const id = (index: number): BackendId => index as BackendId;

/**
 * A pool of backends that failed this many times in a row; a negative number is one that is down.
 */
function pool(...failures: readonly number[]): BackendObservation[] {
  return failures.map((inARow, index) => ({
    backend: id(index),
    isUsable: inARow >= 0,
    failuresInARow: Math.max(0, inARow),
    taken: null,
    spared: null,
    connect: null,
    firstByte: null,
  }));
}

function slow(observed: BackendObservation[], index: number): BackendObservation[] {
  return observed.map((observation, i) => ({
    ...observation,
    connect: { medianMs: i === index ? 500 : 5, count: 100 },
  }));
}

/** A tracker over the real ledger, whose backends are as the looks observe them. */
class Tracked {
  readonly ledger = new Ledger(createLedgerMemory());
  readonly #tracker: EjectionTracker;
  #spec: OutlierSpec;
  #members: readonly BackendId[] = [];

  constructor(spec: OutlierSpec) {
    this.#spec = spec;
    this.#tracker = new EjectionTracker(spec, {
      take: (backend, inARow, nowMs) => this.eject(backend, inARow, nowMs),
      giveBack: (backend) => endEjection(this.ledger, POOL, backend),
    });
  }

  /** As a worker does it, or control. */
  eject(backend: BackendId, inARow: number, nowMs: number): EjectionAnswer {
    const [spec, members] = [this.#spec, this.#members];
    return tryEject(this.ledger, { pool: POOL, backend, members, spec, inARow, nowMs });
  }

  update(spec: OutlierSpec): void {
    this.#spec = spec;
    this.#tracker.update(spec);
  }

  look(nowMs: number, observed: readonly BackendObservation[]): readonly EjectionDecision[] {
    this.#members = observed.map(({ backend }) => backend);
    for (const { backend, isUsable } of observed) {
      this.ledger.setWeight(backend, 1);
      this.ledger.setHealth(backend, isUsable ? 'up' : 'down');
    }
    const { ejections } = this.ledger;
    const seen = observed.map((observation): BackendObservation => {
      const taken = ejections.takenOut(observation.backend, nowMs);
      return taken === null ? observation : { ...observation, taken };
    });
    return this.#tracker.look(nowMs, seen);
  }

  recovered(backend: BackendId, nowMs: number): readonly EjectionDecision[] {
    return this.#tracker.recovered(backend, nowMs);
  }

  ejectedUntilMs(backend: BackendId): number | null {
    const memory = this.#tracker.memoryOf(backend);
    return memory?.kind === 'out' ? memory.untilMs : null;
  }
}

function tracker(changes: Partial<OutlierSpec> = {}): Tracked {
  return new Tracked({ ...OUTLIER, ...changes });
}

const brief = (decisions: readonly EjectionDecision[]): string[] =>
  decisions.map((decision) => {
    const what = decision.kind === 'spare' || decision.kind === 'return' ? decision.because : '';
    return `${decision.kind} ${decision.backend} ${what}`.trim();
  });

t.test('a backend is ejected at the look that sees the limit, and not before', async (t) => {
  const ejections = tracker();
  t.same(ejections.look(0, pool(4, 0, 0)), []);
  t.same(ejections.look(100, pool(5, 0, 0)), [
    {
      kind: 'eject',
      backend: 0,
      cause: { kind: 'failures', inARow: 5 },
      durationMs: BASE,
      timesInARow: 1,
    },
  ]);
  t.equal(ejections.ejectedUntilMs(id(0)), 100 + BASE);
  t.equal(ejections.ejectedUntilMs(id(1)), null);
});

t.test('an ejected backend is not ejected again, whatever its last sessions say', async (t) => {
  const ejections = tracker();
  ejections.look(0, pool(5, 0, 0));
  t.same(ejections.look(BASE - 1, pool(50, 0, 0)), []);
});

t.test(
  'an ejection by a worker is reported at the next look, and lasts from its own time',
  async (t) => {
    const ejections = tracker();
    ejections.look(0, pool(0, 0, 0));
    t.equal(ejections.eject(id(1), 5, 100), 'ejected');
    t.match(ejections.look(900, pool(0, 5, 0)), [
      { kind: 'eject', backend: 1, cause: { kind: 'failures', inARow: 5 }, timesInARow: 1 },
    ]);
    t.equal(ejections.ejectedUntilMs(id(1)), 100 + BASE);
    t.same(ejections.look(1000, pool(0, 5, 0)), []);
  },
);

t.test('the evidence of before counts once: what is seen at the return ejects none', async (t) => {
  const ejections = tracker();
  ejections.look(0, pool(5, 0, 0));
  t.same(brief(ejections.look(BASE, slow(pool(9, 0, 0), 0))), ['return 0 time-over']);
  t.equal(ejections.ledger.closed(id(0)), 0);
  t.same(brief(ejections.look(BASE + 1, pool(0, 0, 0))), []);
});

t.test('it returns when the time is over, at the first look from then on', async (t) => {
  const ejections = tracker();
  ejections.look(0, pool(5, 0));
  t.same(brief(ejections.look(BASE - 1, pool(0, 0))), []);
  t.same(brief(ejections.look(BASE, pool(0, 0))), ['return 0 time-over']);
  t.same(brief(ejections.look(BASE + 1, pool(0, 0))), []);
});

t.test('the time grows with each ejection in a row up to the maximum', async (t) => {
  const ejections = tracker();
  let now = 0;
  const durations: number[] = [];
  for (let time = 0; time < 12; time++) {
    const [decision] = ejections.look(now, pool(5, 0));
    if (decision?.kind !== 'eject') throw new Error(`no ejection at ${now}`);
    t.equal(decision.timesInARow, time + 1);
    durations.push(decision.durationMs / BASE);
    now += decision.durationMs;
    ejections.look(now, pool(0, 0));
    now += INTERVAL - 1;
  }
  t.same(durations, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]);
});

t.test('a maximum below the base time does not shorten it', async (t) => {
  const [decision] = tracker({ maxEjectionMs: 1 }).look(0, pool(5, 0));
  t.match(decision, { durationMs: BASE });
});

t.test('each interval without trouble takes one back', async (t) => {
  const rows = [
    { calmMs: INTERVAL - 1, next: 4 },
    { calmMs: INTERVAL, next: 3 },
    { calmMs: 2 * INTERVAL, next: 2 },
    { calmMs: 3 * INTERVAL, next: 1 },
    { calmMs: 99 * INTERVAL, next: 1 },
  ];
  for (const { calmMs, next } of rows) {
    for (const step of [calmMs, 700]) {
      const ejections = tracker();
      let now = 0;
      for (let time = 1; time <= 3; time++) {
        ejections.look(now, pool(5, 0));
        now += time * BASE;
        ejections.look(now, pool(0, 0));
      }
      for (let passed = step; passed < calmMs; passed += step) {
        ejections.look(now + passed, pool(0, 0));
      }
      const [decision] = ejections.look(now + calmMs, pool(5, 0));
      t.match(decision, { timesInARow: next }, `${calmMs} ms in looks of ${step}`);
    }
  }
});

t.test('how many may be out at once', async (t) => {
  const rows = [
    { backends: 1, percent: 100, most: 0 },
    { backends: 2, percent: 50, most: 1 },
    { backends: 2, percent: 100, most: 1 },
    { backends: 3, percent: 50, most: 1 },
    { backends: 4, percent: 50, most: 2 },
    { backends: 5, percent: 10, most: 1 },
    { backends: 20, percent: 10, most: 2 },
    { backends: 10, percent: 100, most: 9 },
    { backends: 10, percent: 0, most: 0 },
  ];
  for (const { backends, percent, most } of rows) {
    const observed = pool(...Array.from({ length: backends }, () => 5));
    const decisions = tracker({ maxEjectedPercent: percent }).look(0, observed);
    const ejected = decisions.filter((decision) => decision.kind === 'eject');
    t.equal(ejected.length, most, `${percent} % of ${backends}`);
    t.equal(decisions.length, backends, 'the others are reported as spared');
  }
});

t.test('the last one that could serve stays, though others are in the pool', async (t) => {
  const ejections = tracker({ maxEjectedPercent: 100 });
  t.same(brief(ejections.look(0, pool(5, -1, -1))), ['spare 0 last-one']);
  t.same(brief(ejections.look(1, pool(5, 0, -1))), ['eject 0']);
  t.same(brief(ejections.look(2, pool(0, 5, -1))), ['spare 1 last-one']);
});

t.test('being spared is reported once for each run of trouble', async (t) => {
  const ejections = tracker();
  t.same(brief(ejections.look(0, pool(5))), ['spare 0 last-one']);
  t.same(brief(ejections.look(1, pool(6))), []);
  t.same(brief(ejections.look(2, slow(pool(0), -1))), []);
  t.same(brief(ejections.look(3, pool(5))), ['spare 0 last-one']);
});

t.test(
  'a slow one that is spared is reported again only after a window in which it was well',
  async (t) => {
    const ejections = tracker();
    t.same(brief(ejections.look(0, pool(0, 9, 0))), ['eject 1']);
    t.same(brief(ejections.look(1, slow(pool(0, 0, 0), 0))), ['spare 0 max-ejected-percent']);
    t.same(brief(ejections.look(2, pool(0, 0, 0))), [], 'within a window nothing is known');
    t.same(brief(ejections.look(3, slow(pool(0, 0, 0), 0))), []);
    t.same(brief(ejections.look(4, slow(pool(0, 0, 0), -1))), []);
    t.same(brief(ejections.look(5, slow(pool(0, 0, 0), 0))), ['spare 0 max-ejected-percent']);
  },
);

t.test('trouble that is spared is no calm: the row of ejections is not forgiven', async (t) => {
  const ejections = tracker();
  ejections.look(0, pool(5, 0));
  ejections.look(BASE, pool(0, 0));
  t.same(brief(ejections.look(BASE + INTERVAL - 1, pool(5, -1))), ['spare 0 last-one']);
  ejections.look(BASE + INTERVAL + 1, pool(0, 0));
  t.match(ejections.look(BASE + INTERVAL + 2, pool(5, 0)), [{ kind: 'eject', timesInARow: 2 }]);
});

t.test('a backend that was spared is ejected as soon as there is room', async (t) => {
  const ejections = tracker();
  t.same(brief(ejections.look(0, pool(9, 8, 0))), ['eject 0', 'spare 1 max-ejected-percent']);
  t.same(brief(ejections.look(BASE, pool(0, 8, 0))), ['return 0 time-over', 'eject 1']);
});

t.test('the worst goes first: failures before slowness, more before fewer', async (t) => {
  const observed = slow(pool(0, 5, 7, 0), 3);
  const ejections = tracker({ maxEjectedPercent: 75 });
  t.same(brief(ejections.look(0, observed)), ['eject 2', 'eject 1', 'eject 3']);
});

t.test('a backend that is down or drained is not ejected besides', async (t) => {
  t.same(
    tracker().look(0, [
      ...pool(0, 0),
      { ...(pool(9)[0] as BackendObservation), backend: id(2), isUsable: false },
    ]),
    [],
  );
});

t.test('a backend that has recovered is ejected for failures no longer', async (t) => {
  const ejections = tracker();
  ejections.look(1000, pool(5, 0));
  t.same(brief(ejections.recovered(id(0), 1500)), ['return 0 recovered']);
  t.same(brief(ejections.recovered(id(0), 1700)), []);
  const [again] = ejections.look(2000, pool(5, 0));
  t.match(again, { kind: 'eject', timesInARow: 2 }, 'the row goes on');
});

t.test('that it has recovered says nothing of its slowness', async (t) => {
  const ejections = tracker();
  t.same(brief(ejections.look(0, slow(pool(0, 0, 0), 1))), ['eject 1']);
  t.same(ejections.recovered(id(1), 20), []);
  t.same(brief(ejections.look(BASE, pool(0, 0, 0))), ['return 1 time-over']);
});

t.test('a dry run decides alike and changes nothing', async (t) => {
  const dry = tracker({ dryRun: true });
  const real = tracker();
  const told = brief(dry.look(0, pool(9, 8, 0)));
  t.same(told, ['would-eject 0', 'spare 1 max-ejected-percent']);
  t.same(
    brief(real.look(0, pool(9, 8, 0))),
    told.map((line) => line.replace('would-', '')),
  );
  t.same(brief(dry.look(1, pool(9, 8, 0))), [], 'nothing is reported twice');
  t.same(dry.recovered(id(0), 2), [], 'nothing comes back');
});

t.test('a reload keeps ejections under way, also when it begins a dry run', async (t) => {
  const ejections = tracker();
  ejections.look(0, pool(5, 0));
  ejections.update({ ...OUTLIER, dryRun: true, baseEjectionMs: 1 });
  t.equal(ejections.ejectedUntilMs(id(0)), BASE);
  t.same(brief(ejections.look(BASE, pool(0, 0))), ['return 0 time-over']);
  t.same(brief(ejections.look(BASE + 1, pool(0, 5))), ['would-eject 1']);
});

t.test('a backend that left the pool is forgotten', async (t) => {
  const ejections = tracker();
  ejections.look(0, pool(5, 0, 0));
  ejections.look(1, pool(5, 0, 0).slice(1));
  t.equal(ejections.ejectedUntilMs(id(0)), null);
});

t.test(`in any history limits hold and decisions alternate (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let history = 0; history < 40; history++) {
    const backends = 1 + below(random, 8);
    const percent = below(random, 5) * 25;
    const ejections = tracker({ maxEjectedPercent: percent });
    const most = percent === 0 ? 0 : Math.max(1, Math.floor((backends * percent) / 100));
    const out = new Set<BackendId>();
    let now = 0;
    for (let step = 0; step < 300; step++) {
      now += below(random, 15_000);
      const observed = pool(
        ...Array.from(
          { length: backends },
          () => below(random, 7) * below(random, 3) - below(random, 2),
        ),
      );
      const decisions = [
        ...ejections.look(now, observed),
        ...ejections.recovered(id(below(random, backends)), now),
      ];
      for (const decision of decisions) {
        if (decision.kind === 'eject') {
          if (out.has(decision.backend)) t.fail('ejected twice');
          out.add(decision.backend);
          if (!observed.some((o) => o.isUsable && !out.has(o.backend)))
            t.fail('no backend is left');
        }
        if (decision.kind === 'return' && !out.delete(decision.backend)) t.fail('returned twice');
      }
      if (out.size > most) t.fail(`${out.size} of ${backends} are out at ${percent} %`);
      for (const backend of out) {
        if (ejections.ejectedUntilMs(backend) === null) t.fail(`${backend} is in untold`);
      }
    }
  }
  t.pass('40 histories of 300 looks');
});
