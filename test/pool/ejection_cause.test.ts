import t from 'tap';
import type { BackendId } from '../../src/core/brand.js';
import {
  type BackendObservation,
  describeCause,
  ejectionCause,
  MIN_SAMPLES,
} from '../../src/pool/ejection_cause.js';
import { OUTLIER } from './outlier.js';

function observation(given: Partial<BackendObservation>): BackendObservation {
  return {
    backend: 0 as BackendId,
    isUsable: true,
    failuresInARow: 0,
    taken: null,
    spared: null,
    connect: null,
    firstByte: null,
    ...given,
  };
}

const took = (medianMs: number, count = MIN_SAMPLES): { medianMs: number; count: number } => ({
  medianMs,
  count,
});

t.test('failures in a row count from the limit on', async (t) => {
  for (const [inARow, expected] of [
    [0, null],
    [4, null],
    [5, { kind: 'failures', inARow: 5 }],
    [9, { kind: 'failures', inARow: 9 }],
  ] as const) {
    const own = observation({ failuresInARow: inARow });
    t.same(ejectionCause(OUTLIER, own, [own]), expected);
  }
});

t.test('slowness is judged against the median of the others', async (t) => {
  // Factor 3, others at 10, 20 and 30 ms: beyond 60 ms.
  const rows = [
    { what: 'at the factor', own: took(60), isSlow: false },
    { what: 'beyond it', own: took(61), isSlow: true },
    { what: 'too few samples', own: took(61, MIN_SAMPLES - 1), isSlow: false },
    { what: 'no samples', own: null, isSlow: false },
  ];
  for (const { what, own, isSlow } of rows) {
    for (const column of ['connect', 'firstByte'] as const) {
      const others = [10, 20, 30].map((ms) => observation({ [column]: took(ms) }));
      const observed = observation({ [column]: own });
      const cause = ejectionCause(OUTLIER, observed, [observed, ...others]);
      const kind = column === 'connect' ? 'slow-connect' : 'slow-first-byte';
      t.same(cause, isSlow ? { kind, medianMs: 61, othersMs: 20 } : null, `${column}, ${what}`);
    }
  }
});

t.test(
  'others without enough samples, and those that could not serve, are no measure',
  async (t) => {
    const own = observation({ connect: took(900) });
    const thin = observation({ connect: took(1, MIN_SAMPLES - 1) });
    const down = observation({ connect: took(1), isUsable: false });
    t.equal(ejectionCause(OUTLIER, own, [own]), null);
    t.equal(ejectionCause(OUTLIER, own, [own, thin, down]), null);
  },
);

t.test('of two the slow one is found, not the quick one', async (t) => {
  const slow = observation({ connect: took(100) });
  const quick = observation({ connect: took(2) });
  t.match(ejectionCause(OUTLIER, slow, [slow, quick]), { kind: 'slow-connect', othersMs: 2 });
  t.equal(ejectionCause(OUTLIER, quick, [slow, quick]), null);
});

t.test('a small excess is no failure, however great the factor is', async (t) => {
  const own = observation({ connect: took(10) });
  const quick = observation({ connect: took(0.2) });
  t.equal(ejectionCause(OUTLIER, own, [own, quick]), null);
  const slower = observation({ connect: took(10.2) });
  t.match(ejectionCause(OUTLIER, slower, [slower, quick]), { kind: 'slow-connect' });
});

t.test('factor 0 looks at failures only', async (t) => {
  const own = observation({ connect: took(9000) });
  const quick = observation({ connect: took(1) });
  t.equal(ejectionCause({ ...OUTLIER, latencyFactor: 0 }, own, [own, quick]), null);
});

t.test('causes read as part of a sentence', async (t) => {
  t.equal(describeCause({ kind: 'failures', inARow: 5 }), '5 failures in a row');
  t.equal(
    describeCause({ kind: 'slow-first-byte', medianMs: 123.45, othersMs: 2 }),
    'first bytes take 123.5 ms, those of the others 2.0 ms',
  );
});
