import t from 'tap';
import { type Effect, press } from '../../../src/cli/top/keys.js';
import { lines, selection } from '../../../src/cli/top/lines.js';
import { looked, type State } from '../../../src/cli/top/state.js';
import { backend, listener, look, pool, seen, session } from './looks.js';

const TWO_POOLS = look({
  pools: [pool(), pool({ name: 'pg', state: 'down' })],
  backends: [
    backend(),
    backend({ name: 'b', active: 9 }),
    backend({ pool: 'pg', name: 'x', state: 'down', eligible: false, cause: 'down' }),
  ],
});

/** The state after some keys, and what the last of them asks for. */
function after(state: State, ...keys: readonly string[]): { state: State; effect: Effect } {
  return keys.reduce<{ state: State; effect: Effect }>((so, key) => press(so.state, key), {
    state,
    effect: { is: 'nothing' },
  });
}

const keyOf = (state: State): string | undefined => lines(state)[selection(state)]?.key;
const keysOf = (state: State): readonly string[] => lines(state).map(({ key }) => key);

const APP = ['pool app', 'backend app/a 10.0.0.1:80', 'backend app/b 10.0.0.1:80'];
const PG = ['pool pg', 'backend pg/x 10.0.0.1:80'];

t.test('keys move over the lines, and not beyond them', async (t) => {
  const state = seen(TWO_POOLS);
  t.same(keysOf(state), ['listener web', ...APP, ...PG]);
  t.equal(keyOf(state), 'listener web');
  t.equal(keyOf(after(state, 'up').state), 'listener web');
  t.equal(keyOf(after(state, 'down', 'j', 'k').state), 'pool app');
  t.equal(keyOf(after(state, 'end').state), PG[1]);
  t.equal(keyOf(after(state, 'pagedown', 'down').state), PG[1]);
  t.equal(keyOf(after(state, 'end', 'home').state), 'listener web');
  t.equal(keyOf(after(state, 'end', 'pageup').state), 'listener web');
});

t.test('the selected line stays selected when lines come, go and change places', async (t) => {
  const { state } = after(seen(TWO_POOLS), 'down', 'down', 'down');
  t.equal(keyOf(state), APP[2]);
  const more = looked(state, {
    ...TWO_POOLS,
    listeners: [listener({ name: 'new' }), listener()],
  });
  t.equal(keyOf(more), APP[2]);
  t.equal(keyOf(after(more, 's', 's').state), APP[2]);
  const gone = looked(state, look({ backends: [backend()] }));
  t.equal(keyOf(gone), APP[1], 'the last line where the place is gone too');
  t.equal(selection(looked(state, look({ listeners: [], pools: [], backends: [] }))), -1);
});

t.test('s sorts backends and pools by the next column, S by the one before', async (t) => {
  const state = seen(TWO_POOLS);
  t.same(keysOf(after(state, 's').state), ['listener web', ...PG, ...APP], 'state: trouble first');
  const bySessions = after(state, 's', 's').state;
  t.same(keysOf(bySessions).slice(1, 4), [APP[0], APP[2], APP[1]]);
  t.same(keysOf(after(bySessions, 'S', 'S').state), keysOf(state));
  t.equal(after(state, 'S').state.sort, 'name');
  const swapped = seen(look({ ...TWO_POOLS, pools: TWO_POOLS.pools.toReversed() }));
  const byName = keysOf(after(swapped, 'S').state);
  t.same(byName, ['listener web', ...APP, ...PG]);
  t.notSame(byName, keysOf(swapped));
});

t.test('a filter keeps what fits, with its pool, while it is typed', async (t) => {
  const { state } = after(seen(TWO_POOLS), '/', 'D', 'o', 'w');
  t.same(keysOf(state), PG);
  t.same(keysOf(after(state, 'x').state), []);
  t.same(keysOf(after(state, 'x', 'backspace', 'return').state), PG);
  t.equal(after(state, 'return').state.mode.is, 'looking');
  t.equal(after(state, 'q').effect.is, 'nothing', 'q is a letter there');
  t.same(keysOf(after(state, 'escape').state).length, 6);
  t.same(keysOf(after(state, 'return', 'escape').state).length, 6);
  t.same(keysOf(after(seen(TWO_POOLS), '/', 'p', 'p', '/', 'b').state), ['pool app', APP[2]]);
});

t.test('pools fold and open, one or all, and the cursor stays at the pool', async (t) => {
  const folded = after(seen(TWO_POOLS), 'down', 'down', 'space').state;
  t.same(keysOf(folded), ['listener web', 'pool app', ...PG]);
  t.equal(keyOf(folded), 'pool app');
  t.same(keysOf(after(folded, 'space').state).length, 6);
  t.same(keysOf(after(folded, 'left', 'right').state).length, 6);
  const all = after(seen(TWO_POOLS), 'end', 'z').state;
  t.same(keysOf(all), ['listener web', 'pool app', 'pool pg']);
  t.equal(keyOf(all), 'pool pg');
  t.same(keysOf(after(all, 'z').state).length, 6);
});

t.test('drain and ready ask before, and only y is a yes', async (t) => {
  const state = after(seen(TWO_POOLS), 'down', 'down').state;
  const asked = after(state, 'd');
  t.same(asked.effect, { is: 'nothing' });
  t.same(asked.state.mode, { is: 'asking', order: { what: 'drain', backend: 'app/a' } });
  t.same(after(asked.state, 'y').effect, {
    is: 'order',
    order: { what: 'drain', backend: 'app/a' },
  });
  for (const key of ['n', 'Y', 'return', 'escape', 'space', 'd', 'q']) {
    const answered = after(asked.state, key);
    t.same(answered.effect, { is: 'nothing' }, key);
    t.equal(answered.state.mode.is, 'looking', key);
  }
  t.same(after(state, 'up', 'r', 'y').effect, {
    is: 'order',
    order: { what: 'ready', backend: 'app/*' },
  });
});

t.test('an order is on what was asked about, whatever has moved meanwhile', async (t) => {
  const { state } = after(seen(TWO_POOLS), 'down', 'down', 'd');
  const moved = looked(state, look({ backends: [backend({ name: 'b' })] }));
  t.same(after(moved, 'y').effect, { is: 'order', order: { what: 'drain', backend: 'app/a' } });
});

t.test('a listener is not drained', async (t) => {
  const { state, effect } = after(seen(TWO_POOLS), 'd', 'y');
  t.equal(effect.is, 'nothing');
  t.equal(after(seen(TWO_POOLS), 'd').state.said, 'choose a backend or a pool first');
  t.equal(state.said, '', 'the next key ends the sentence');
});

t.test('return shows the sessions of a line, and escape goes back to it', async (t) => {
  const { state, effect } = after(seen(TWO_POOLS), 'end', 'return');
  t.equal(effect.is, 'look');
  t.same(state.view, { is: 'sessions', of: { kind: 'backend', name: 'pg/x' }, order: 'age' });
  t.same(keysOf(state), []);
  const sessions = [session(), session({ id: 'm1', age_ms: 70_000, bytes_out: 0 })];
  const there = looked(state, { ...TWO_POOLS, sessions });
  t.same(keysOf(there), ['session m1', 'session k3f9']);
  t.equal(after(there, 's').effect.is, 'look');
  t.same(keysOf(after(there, 's').state), ['session k3f9', 'session m1'], 'by bytes');
  t.equal(after(there, 'd').state.mode.is, 'looking');
  t.equal(after(there, 'return').effect.is, 'nothing');
  t.equal(keyOf(after(there, 'escape').state), PG[1]);
});

t.test('q and ctrl-c leave, ctrl-c whatever is asked', async (t) => {
  const state = seen(TWO_POOLS);
  t.equal(after(state, 'q').effect.is, 'quit');
  for (const before of [[], ['/'], ['?'], ['down', 'd']]) {
    t.equal(after(state, ...before, 'ctrl-c').effect.is, 'quit');
    t.equal(after(state, ...before, 'ctrl-z').effect.is, 'suspend');
  }
  t.equal(after(state, '?', 'q').effect.is, 'nothing', 'any key ends the help');
});

t.test('ctrl-u begins a filter anew', async (t) => {
  t.equal(after(seen(TWO_POOLS), '/', 'a', 'b', 'ctrl-u', 'c').state.filter, 'c');
});

t.test('no key does harm before anything is known', async (t) => {
  const nothing = seen(look({ listeners: [], pools: [], backends: [] }));
  for (const key of ['up', 'down', 'end', 'return', 'space', 'z', 'd', 'r', 's', 'escape', 'tab']) {
    t.not(after(nothing, key, 'y').effect.is, 'order', key);
  }
});
