import t from 'tap';
import { FairLanes } from '../../src/control/fair_lanes.js';
import { below, seededRandom } from '../../src/core/random.js';
import { seed } from '../support/seed.js';

t.comment(`SEED=${seed}`);

const PLACES = 30;
const STEPS = 20_000;

interface Task {
  readonly group: string;
  readonly lane: number;
  over: (() => void) | null;
}

function bench(places = PLACES) {
  const begun: Task[] = [];
  const lanes = new FairLanes<Task>(places, (task, giveBack) => {
    task.over = giveBack;
    begun.push(task);
  });
  const add = (group: string, lane: number): Task => {
    const task: Task = { group, lane, over: null };
    lanes.add(group, lane, task);
    return task;
  };
  return { begun, lanes, add };
}

/** Each of those that have a place now gives it back, once. */
function round(begun: readonly Task[], from: number): number {
  const until = begun.length;
  for (const task of begun.slice(from, until)) task.over?.();
  return until;
}

t.test('however many groups keep all that they get, another one finds a place', async (t) => {
  for (const lanesEach of [1, 3]) {
    for (let dead = 1; dead < PLACES; dead++) {
      const { add, begun } = bench();
      for (let i = 0; i < 300 * dead; i++) add(`dead${i % dead}`, i % lanesEach);
      const task = add('alive', 0);
      if (dead < 5) t.not(task.over, null, `at once beside ${dead} groups`);
      round(begun, 0);
      t.not(task.over, null, `beside ${dead} groups of ${lanesEach} lanes`);
    }
  }
});

t.test('lanes that keep all that they get leave places for others of their group', async (t) => {
  for (let dead = 1; dead < PLACES / 2; dead++) {
    const { add, begun } = bench();
    for (let i = 0; i < 300 * dead; i++) add('half dead', i % dead);
    const task = add('half dead', 99);
    if (dead < 5) t.not(task.over, null, `at once beside ${dead} lanes`);
    round(begun, 0);
    t.not(task.over, null, `beside ${dead} lanes`);
  }
});

t.test('one place is enough for all, one after another', async (t) => {
  const { add, begun } = bench(1);
  const names = ['a', 'b', 'c'];
  for (let i = 0; i < 9; i++) add(names[i % 3] ?? '', i);
  for (let i = 0; i < 9; i++) begun[i]?.over?.();
  t.equal(begun.length, 9);
  t.same(new Set(begun.map(({ group }) => group).slice(0, 4)), new Set(names), 'by turns');
});

t.test('whatever comes and goes, no place is given twice, and all come back', async (t) => {
  const random = seededRandom(seed);
  const { lanes, add, begun } = bench();
  const running: Task[] = [];
  const waiting: Task[] = [];
  let seen = 0;
  const take = (list: Task[]): Task | undefined => list.splice(below(random, list.length), 1)[0];
  for (let step = 0; step < STEPS; step++) {
    const draw = below(random, 10);
    if (draw < 5) waiting.push(add(`g${below(random, 12)}`, below(random, 4)));
    else if (draw < 9 && running.length > 0) take(running)?.over?.();
    else if (waiting.length > 0) {
      const task = take(waiting);
      if (task?.over === null) lanes.drop(task.group, task.lane, task);
    }
    for (; seen < begun.length; seen++) running.push(begun[seen] as Task);
    if (running.length !== PLACES - lanes.now.free) t.fail(`step ${step}: places are lost`);
    if (running.length > PLACES) t.fail(`step ${step}: ${running.length} places`);
  }
  while (running.length > 0) {
    take(running)?.over?.();
    for (; seen < begun.length; seen++) running.push(begun[seen] as Task);
  }
  t.equal(new Set(begun).size, begun.length, 'nothing begins twice');
  t.same(lanes.now, { free: PLACES, groups: 0 }, 'nothing is remembered');
});
