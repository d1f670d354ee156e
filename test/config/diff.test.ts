/** What a reload changes. */
import t from 'tap';
import { asDone, describeDiff, diffSpecs, isUnchanged, namesIn } from '../../src/config/diff.js';
import { START_SETTINGS } from '../../src/config/restart.js';
import { loadSpec } from '../support/load_spec.js';

const BASE = `
[daemon]
workers = 2
[listeners.a]
bind = ["127.0.0.1:5432", "127.0.0.2:5432"]
pool = "p"
[listeners.b]
bind = "127.0.0.1:53"
pool = "p"
[pools.p]
[pools.p.health]
probe = "send-expect"
send = "PING"
expect = "PONG"
[[pools.p.backends]]
address = "10.0.0.1:5432"
[[pools.p.backends]]
name = "two"
address = "10.0.0.2:5432"
weight = 2
`;

const diff = (from: string, to: string) => {
  const after = BASE.replace(from, to);
  t.not(after, BASE, 'the replacement is made');
  return diffSpecs(loadSpec(BASE), loadSpec(after));
};

t.test('the same file changes nothing', async (t) => {
  const same = diffSpecs(loadSpec(BASE), loadSpec(`# a comment\n${BASE}`));
  t.ok(isUnchanged(same));
  t.equal(describeDiff(same), 'nothing changed');
  t.same(namesIn(same), { added: [], removed: [], changed: [] });
});

t.test('the order of the file does not matter', async (t) => {
  const [head = '', first = '', second = ''] = BASE.split('[[pools.p.backends]]');
  const swapped = [head, `${second}\n`, first].join('[[pools.p.backends]]');
  t.ok(isUnchanged(diffSpecs(loadSpec(BASE), loadSpec(swapped))));
});

t.test('a listener changes its addresses one by one', async (t) => {
  const { listeners } = diff('"127.0.0.2:5432"', '"127.0.0.3:5432"');
  t.match(listeners, { added: [], removed: [] });
  t.match(listeners.changed, [
    {
      before: { name: 'a' },
      after: { name: 'a' },
      bindAdded: [{ host: '127.0.0.3', port: 5432 }],
      bindRemoved: [{ host: '127.0.0.2', port: 5432 }],
      settings: [],
    },
  ]);
});

t.test('the settings of a listener that differ are named', async (t) => {
  const { listeners } = diff(
    '[listeners.b]',
    '[listeners.b]\nidle_timeout = "5s"\nmax_sessions = 9',
  );
  t.strictSame(
    listeners.changed.map(({ settings }) => settings),
    [['maxSessions', 'idleTimeoutMs']],
  );
});

t.test('a listener that changes its protocol is another one', async (t) => {
  const changed = diff('[listeners.b]', '[listeners.b]\nprotocol = "udp"');
  t.match(changed.listeners, { added: [{ name: 'b', protocol: 'udp' }] });
  t.match(changed.listeners, { removed: [{ name: 'b', protocol: 'tcp' }], changed: [] });
});

t.test('a backend is its pool, name and address', async (t) => {
  const moved = diff('"10.0.0.2:5432"', '"10.0.0.9:5432"');
  t.match(moved.backends.added, [{ pool: 'p', backend: { name: 'two' } }]);
  t.match(moved.backends.removed, [{ pool: 'p', backend: { name: 'two' } }]);
  t.strictSame(moved.backends.changed, []);
  t.equal(describeDiff(moved), 'backends +1 -1 ~0');

  const heavier = diff('weight = 2', 'weight = 3\nbackup = true');
  t.match(heavier.backends, { added: [], removed: [] });
  t.match(heavier.backends.changed, [{ pool: 'p', settings: ['weight', 'backup'] }]);

  const renamed = diff('"two"', '"zwei"');
  t.equal(describeDiff(renamed), 'backends +1 -1 ~0');
});

t.test('a cap that the pool gives changes the backends that have none of their own', async (t) => {
  const capped = diff('[pools.p]\n', '[pools.p]\nmax_connections = 5\n');
  t.match(capped.backends.changed, [
    { before: { maxConnections: 0 }, after: { maxConnections: 5 } },
    { after: { name: 'two' } },
  ]);
  t.strictSame(capped.pools.changed, [], 'and nothing of the pool');
});

t.test('a pool changes by its own settings only', async (t) => {
  const pool = diff('[pools.p]\n', '[pools.p]\npolicy = "random"\nretries = 7\n');
  t.strictSame(
    pool.pools.changed.map(({ settings }) => settings),
    [['policy', 'retries']],
  );
  t.match(pool.backends, { added: [], removed: [], changed: [] });
  const health = diff('"PONG"', '"PANG"');
  t.strictSame(
    health.pools.changed.map(({ settings }) => settings),
    [['health']],
  );
});

t.test('a pool that goes takes its backends with it', async (t) => {
  const spec = loadSpec(BASE);
  const gone = diffSpecs(spec, { ...spec, pools: [] });
  t.match(gone.pools, { removed: [{ name: 'p' }], added: [] });
  t.equal(gone.backends.removed.length, 2);
  t.equal(describeDiff(gone), 'pools +0 -1 ~0, backends +0 -2 ~0');
});

t.test('there and back again, what was added is removed', async (t) => {
  const before = loadSpec(BASE);
  const after = loadSpec(`${BASE}[[pools.q.backends]]\naddress = "db:1"\n`);
  const there = diffSpecs(before, after);
  const back = diffSpecs(after, before);
  t.strictSame(there.backends.added, back.backends.removed);
  t.strictSame(there.pools.added, back.pools.removed);
});

t.test('the limit of probes and the time of a stop change at once', async (t) => {
  const changed = diff('[daemon]', '[daemon]\nprobes_per_second = 5\nshutdown_timeout = "1s"');
  t.same(changed.sections, ['daemon']);
  t.strictSame(changed.needsRestart, []);
  t.equal(describeDiff(changed), 'daemon');
});

t.test('names of the admin endpoint and its histograms change at once', async (t) => {
  for (const line of ['hosts = ["lb"]', 'backend_histograms = true']) {
    const changed = diff('[daemon]', `[admin]\n${line}\n[daemon]`);
    t.same(changed.sections, ['admin']);
    t.equal(describeDiff(changed), 'admin');
  }
});

t.test('the level and the access log change at once', async (t) => {
  const changed = diff('[daemon]', '[log]\naccess = "all"\n[daemon]');
  t.same(changed.sections, ['log']);
  t.strictSame(changed.needsRestart, []);
  t.equal(describeDiff(changed), 'log');
});

t.test('what is read at start only says so, with what goes on until when', async (t) => {
  const changed = diff(
    '[daemon]\nworkers = 2',
    '[log]\nformat = "pretty"\n[admin]\nhttp = ""\nsocket = ""\nsocket_group = "ops"\n' +
      '[daemon]\nworkers = "auto"\nengine = "node"\nstate_directory = ""\nkeep_sockets = false',
  );
  t.strictSame(
    changed.needsRestart.map(({ setting }) => setting),
    START_SETTINGS.map(({ setting }) => setting),
  );
  t.match(
    changed.needsRestart[1]?.sentence,
    /^daemon\.workers stays "2" until a restart makes it "auto": /,
  );
  t.notOk(isUnchanged(changed));
  t.equal(
    describeDiff(changed),
    'needs a restart: daemon.engine, daemon.workers, daemon.state_directory, ' +
      'daemon.keep_sockets, admin.http, admin.socket, ' +
      'admin.socket_group, log.format',
  );
});

t.test('one line says it all', async (t) => {
  const before = loadSpec(BASE);
  const text = BASE.replace('workers = 2', 'workers = 3')
    .replace('[listeners.b]', '[listeners.c]')
    .replace('weight = 2', 'weight = 3');
  t.equal(
    describeDiff(diffSpecs(before, loadSpec(text))),
    'listeners +1 -1 ~0, backends +0 -0 ~1; needs a restart: daemon.workers',
  );
});

t.test('a backend that was left in place is changed, and neither added nor removed', async (t) => {
  const moved = diff('address = "10.0.0.2:5432"', 'address = "two.example:5432"');
  t.same(namesIn(asDone(moved, () => false)), namesIn(moved));
  t.same(namesIn(moved), { added: ['backend p/two'], removed: ['backend p/two'], changed: [] });
  const done = asDone(moved, ({ pool, backend }) => pool === 'p' && backend.name === 'two');
  t.same(namesIn(done), { added: [], removed: [], changed: ['backend p/two'] });
  t.same(done.backends.changed[0]?.settings, ['address']);
});
