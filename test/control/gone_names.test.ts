/** Counters of backends that left: kept while a backend has their name, and for a while. */
import t from 'tap';
import { GoneNames } from '../../src/control/gone_names.js';
import { PAST_SHOWN_MS } from '../../src/control/tallies.js';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { backendSpec, inventory, listenerSpec, poolSpec, resolved, spec } from './fixtures.js';

const NAMES = { pool: 'pg', backend: 'b' };

t.test('what was counted of a backend goes some minutes after it', async (t) => {
  const forgotten: unknown[] = [];
  const names = new GoneNames(inventory(), (gone) => void forgotten.push(gone));
  names.add(NAMES, 0);
  names.look(PAST_SHOWN_MS - 1);
  t.same(forgotten, []);
  names.look(PAST_SHOWN_MS);
  t.same(forgotten, [NAMES]);
  names.look(2 * PAST_SHOWN_MS);
  t.equal(forgotten.length, 1, 'once');
});

t.test('a backend that has another address, or none just now, keeps its counters', async (t) => {
  const all = inventory();
  const at = (host: string) => backendSpec('b', { address: ipEndpoint(4, host, 5432) });
  const named = backendSpec('b', { address: { kind: 'name', host: 'db', port: 5432 } });
  for (const backend of [at('10.0.0.2'), named]) {
    all.apply(spec([poolSpec('pg', { backends: [backend] })], [listenerSpec('l', 'pg')]), resolved);
    for (const entry of [...all.backends()]) {
      if (entry.tenure === 'leaving') all.releaseBackend(entry);
    }
    const names = new GoneNames(all, () => t.fail('it is in the file'));
    names.add(NAMES, 0);
    names.look(PAST_SHOWN_MS);
  }
});
