import t from 'tap';
import { below, seededRandom } from '../../../src/core/random.js';
import { FlowTable, KEY_WORDS } from '../../../src/engine/uring/flow_table.js';
import { seed } from '../../support/seed.js';

/** Keys that differ in one word only, so that a table that forgets a word mixes them up. */
function keyOf(client: number): Int32Array {
  const key = new Int32Array(KEY_WORDS);
  key[client % KEY_WORDS] = client + 1;
  return key;
}

t.test('what was added is found under its own key only', async (t) => {
  const table = new FlowTable(KEY_WORDS, 1);
  for (let flow = 0; flow < KEY_WORDS; flow++) {
    table.key.set(keyOf(flow));
    t.equal(table.find(), -1);
    table.add(flow);
  }
  for (let flow = 0; flow < KEY_WORDS; flow++) {
    table.key.set(keyOf(flow));
    t.equal(table.find(), flow);
  }
});

t.test('a flow that is removed twice breaks an invariant', async (t) => {
  const table = new FlowTable(4, 1);
  table.key.set(keyOf(1));
  table.add(2);
  table.remove(2);
  t.throws(() => table.remove(2), /is in the table/);
});

t.test(`a full table agrees with a Map over any sequence (SEED=${seed})`, async (t) => {
  const capacity = 64;
  const random = seededRandom(seed);
  const table = new FlowTable(capacity, seed);
  const model = new Map<number, number>();
  const free = Array.from({ length: capacity }, (_, flow) => flow);
  for (let step = 0; step < 50_000; step++) {
    const client = below(random, 4 * capacity);
    table.key.set(keyOf(client));
    const flow = model.get(client) ?? -1;
    if (table.find() !== flow) {
      t.fail(`step ${step}: client ${client} is ${table.find()} instead of ${flow}`);
      return;
    }
    const next = flow === -1 ? free.pop() : undefined;
    if (next !== undefined) {
      table.add(next);
      model.set(client, next);
    } else if (flow !== -1 && below(random, 2) === 0) {
      table.remove(flow);
      model.delete(client);
      free.push(flow);
    }
  }
  t.ok(model.size > capacity / 2);
});
