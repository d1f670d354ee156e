import t from 'tap';
import {
  advance,
  DOWN,
  type Evidence,
  type TrackState,
  UNPROVEN,
  UP,
  verdictOf,
} from '../../src/health/tracker.js';

const THRESHOLDS = { fall: 3, rise: 2 };

const unproven = (failures: number): TrackState => ({ kind: 'unproven', failures });
const falling = (failures: number): TrackState => ({ kind: 'falling', failures });
const rising = (successes: number): TrackState => ({ kind: 'rising', successes });

type Row = readonly [TrackState, Evidence, TrackState, string | null];

/** Every state that fall = 3 and rise = 2 can lead to, and what each evidence makes of it. */
const TRUTH: readonly Row[] = [
  [UNPROVEN, 'pass', UP, 'up: first-success'],
  [UNPROVEN, 'fail', unproven(1), null],
  [UNPROVEN, 'inconclusive', unproven(1), null],
  [unproven(1), 'pass', UP, 'up: first-success'],
  [unproven(1), 'fail', unproven(2), null],
  [unproven(1), 'inconclusive', unproven(2), null],
  [unproven(2), 'pass', UP, 'up: first-success'],
  [unproven(2), 'fail', DOWN, 'down: never-answered'],
  [unproven(2), 'inconclusive', DOWN, 'down: never-answered'],
  [UP, 'pass', UP, null],
  [UP, 'fail', falling(1), null],
  [UP, 'inconclusive', UP, null],
  [falling(1), 'pass', UP, null],
  [falling(1), 'fail', falling(2), null],
  [falling(1), 'inconclusive', falling(1), null],
  [falling(2), 'pass', UP, null],
  [falling(2), 'fail', DOWN, 'down: failed'],
  [falling(2), 'inconclusive', falling(2), null],
  [DOWN, 'pass', rising(1), null],
  [DOWN, 'fail', DOWN, null],
  [DOWN, 'inconclusive', DOWN, null],
  [rising(1), 'pass', UP, 'up: recovered'],
  [rising(1), 'fail', DOWN, null],
  [rising(1), 'inconclusive', rising(1), null],
  // Our own want of a descriptor changes nothing, whatever the state.
  ...[UNPROVEN, unproven(1), unproven(2), UP, falling(1), falling(2), DOWN, rising(1)].map(
    (state): Row => [state, 'none', state, null],
  ),
];

t.test('each state and evidence lead to exactly one state and verdict', async (t) => {
  for (const [state, evidence, next, told] of TRUTH) {
    const step = advance(state, evidence, THRESHOLDS);
    const name = `${JSON.stringify(state)} and ${evidence}`;
    t.same(step.state, next, name);
    const { verdict } = step;
    t.equal(verdict === null ? null : `${verdict.to}: ${verdict.why}`, told, `${name}: verdict`);
  }
});

t.test('the table is closed: it holds every state that it leads to', async (t) => {
  const known = new Set(TRUTH.map(([state, evidence]) => `${JSON.stringify(state)} ${evidence}`));
  for (const [, , next] of TRUTH) {
    for (const evidence of ['pass', 'fail', 'inconclusive', 'none']) {
      t.ok(known.has(`${JSON.stringify(next)} ${evidence}`), `${JSON.stringify(next)} ${evidence}`);
    }
  }
});

t.test('a verdict is reported exactly when the standing verdict changes', async (t) => {
  for (const [state, evidence] of TRUTH) {
    const step = advance(state, evidence, THRESHOLDS);
    const changed = verdictOf(step.state) !== verdictOf(state);
    t.equal(step.verdict !== null, changed, `${JSON.stringify(state)} and ${evidence}`);
    if (step.verdict !== null) t.equal(step.verdict.to, verdictOf(step.state));
  }
});

t.test('with fall and rise of 1 every differing result is a verdict', async (t) => {
  const thresholds = { fall: 1, rise: 1 };
  t.equal(advance(UNPROVEN, 'fail', thresholds).state, DOWN);
  t.equal(advance(UP, 'fail', thresholds).state, DOWN);
  t.equal(advance(DOWN, 'pass', thresholds).state, UP);
});

t.test('a threshold that shrinks below the row so far is met by the next result', async (t) => {
  const step = advance(falling(5), 'fail', { fall: 2, rise: 1 });
  t.same(step, { state: DOWN, verdict: { to: 'down', why: 'failed', inARow: 6 } });
});
