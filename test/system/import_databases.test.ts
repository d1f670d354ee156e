/**
 * Configurations of HAProxy as people publish them for databases, and their translations, in front
 * of the same servers: the same shares, failover and refusals.
 */
import t, { type Test } from 'tap';
import * as manners from '../support/behaviour/manners.js';
import { NONE, Pair } from '../support/behaviour/pair.js';
import { Checks, named } from '../support/behaviour/servers.js';
import { serverAddresses } from '../support/behaviour/side.js';
import { inOwnNetwork } from '../support/own_network.js';

const AT_ONCE = 6;

if (inOwnNetwork(import.meta.url)) {
  await serverAddresses(['10.0.0.0/8', '192.0.3.0/24']);
  t.jobs = AT_ONCE;
  for (const [name, body] of Object.entries(cases())) {
    t.test(name, { buffered: true }, body);
  }
}

function cases(): Readonly<Record<string, (t: Test) => Promise<void>>> {
  return {
    'Patroni, as documented': async (t) => {
      const servers = await named(t, { pg1: '10.0.0.11:5432', pg2: '10.0.0.12:5432' });
      const one = await Checks.start(t, '10.0.0.11:8008', ['/primary']);
      const two = await Checks.start(t, '10.0.0.12:8008', ['/replica']);
      const pair = await Pair.start(t, 'haproxy', 'patroni.cfg');
      await pair.answers(5000, { pg1: 4 });
      await pair.answers(5001, { pg2: 4 });
      one.set();
      two.set('/primary');
      await pair.answers(5000, { pg2: 4 });
      await pair.answers(5001, { [NONE]: 3 });
      one.set('/replica');
      await pair.answers(5001, { pg1: 4 });
      await servers.pg1.stop();
      await pair.answers(5001, { [NONE]: 1 });
      t.match([...one.asked].join(), /OPTIONS \/primary/);
    },

    'Patroni with a leader and replicas': async (t) => {
      await named(t, {
        node1: '10.11.0.1:5432',
        node2: '10.11.0.2:5432',
        node3: '10.11.0.3:5432',
      });
      const replica = '/replica?lag=10MB';
      const one = await Checks.start(t, '10.11.0.1:8008', ['/leader']);
      const two = await Checks.start(t, '10.11.0.2:8008', [replica]);
      const three = await Checks.start(t, '10.11.0.3:8008', [replica]);
      const pair = await Pair.start(t, 'haproxy', 'patroni_leader.cfg');
      await pair.answers(5432, { node1: 4 });
      await pair.holds(5433, { node2: 3, node3: 3 });
      one.set();
      two.set('/leader');
      await pair.answers(5432, { node2: 4 });
      await pair.holds(5433, { node3: 4 });
      three.set();
      await pair.answers(5433, { [NONE]: 2 });
    },

    'replicas by weight, and the leader in their place': async (t) => {
      await named(t, {
        big: '10.11.1.1:5432',
        small: '10.11.1.2:5432',
        leader: '10.11.1.3:5432',
      });
      const ok = '/read-only';
      const big = await Checks.start(t, '10.11.1.1:8008', [ok]);
      const small = await Checks.start(t, '10.11.1.2:8008', [ok]);
      const leader = await Checks.start(t, '10.11.1.3:8008', [ok]);
      const pair = await Pair.start(t, 'haproxy', 'patroni_read_backup.cfg');
      await pair.answers(5001, { big: 4, small: 2 });
      big.set();
      await pair.answers(5001, { small: 4 });
      small.set();
      await pair.answers(5001, { leader: 4 });
      leader.set();
      await pair.answers(5001, { [NONE]: 2 });
      big.set(ok);
      await pair.answers(5001, { big: 4 });
    },

    'PostgreSQL by pgsql-check, with weights': async (t) => {
      const servers = await named(
        t,
        { one: '192.0.3.11:5432', two: '192.0.3.12:5432' },
        { manner: manners.postgres },
      );
      const pair = await Pair.start(t, 'haproxy', 'postgres_pgsql_check.cfg');
      await pair.holds(5432, { one: 6, two: 3 });
      await servers.one.stop();
      await pair.holds(5432, { two: 4 });
      await servers.two.stop();
      await pair.answers(5432, { [NONE]: 2 });
    },

    'sessions that wait for a server': async (t) => {
      const servers = await named(t, { pgb1: '10.18.0.1:6432', pgb2: '10.18.0.2:6432' });
      const pair = await Pair.start(t, 'haproxy', 'queue.cfg');
      await pair.holds(6432, { pgb1: 2, pgb2: 2 });
      await pair.waits(6432, 4);
      // Two of each proxy.
      t.ok(servers.pgb1.most <= 4 && servers.pgb2.most <= 4);
    },

    'Galera with one writer': async (t) => {
      const nodes = { g1: '10.2.0.11:3306', g2: '10.2.0.12:3306', g3: '10.2.0.13:3306' };
      const servers = await named(t, nodes, { manner: manners.mysql });
      const all = await Promise.all(
        [11, 12, 13].map((last) => Checks.start(t, `10.2.0.${last}:9200`, ['/'])),
      );
      const pair = await Pair.start(t, 'haproxy', 'galera_one_writer.cfg', {
        own: ['10.2.0.1/32'],
      });
      const at = { host: '10.2.0.1' };
      await pair.answers(3306, { g1: 4 }, at);
      await pair.holds(3307, { g1: 2, g2: 2, g3: 2 }, at);
      all[1]?.set();
      await pair.holds(3307, { g1: 3, g3: 3 }, at);
      await servers.g1.stop();
      await servers.g3.stop();
      await pair.answers(3306, { g2: 4 }, at);
    },

    'Galera with backups': async (t) => {
      const nodes = { m1: '10.2.1.11:3306', m2: '10.2.1.12:3306', m3: '10.2.1.13:3306' };
      const servers = await named(t, nodes, { manner: manners.mysql });
      const pair = await Pair.start(t, 'haproxy', 'galera_backups.cfg');
      await pair.answers(3306, { m1: 4 });
      await servers.m1.stop();
      await pair.answers(3306, { m2: 4 });
      await servers.m2.stop();
      await pair.answers(3306, { m3: 4 });
      await servers.m3.stop();
      await pair.answers(3306, { [NONE]: 2 });
    },

    'backups that share, and servers that are filled in their order': async (t) => {
      const host = (last: number) => `10.11.2.${last}:6000`;
      const [main, one, two] = await Promise.all([
        named(t, { main: host(1), spare1: host(2), spare2: host(3) }),
        named(t, { one: host(4) }),
        named(t, { two: host(5), last: host(6) }),
      ]);
      const pair = await Pair.start(t, 'haproxy', 'backups_in_order.cfg');
      await pair.answers(6001, { main: 4 });
      await main.main.stop();
      await pair.answers(6001, { spare1: 2, spare2: 2 });
      await pair.holds(6002, { one: 2, two: 1 });
      await one.one.stop();
      await pair.holds(6002, { two: 2 });
      await two.two.stop();
      await pair.answers(6002, { last: 3 });
    },

    'Galera by clustercheck': async (t) => {
      const nodes = { db1: '10.13.0.1:3306', db2: '10.13.0.2:3306', db3: '10.13.0.3:3306' };
      await named(t, nodes);
      const [one, two] = [
        await Checks.start(t, '10.13.0.1:9200', ['/']),
        await Checks.start(t, '10.13.0.2:9200', ['/']),
        await Checks.start(t, '10.13.0.3:9200', ['/']),
      ];
      const pair = await Pair.start(t, 'haproxy', 'galera_clustercheck.cfg');
      await pair.answers(3307, { db1: 2, db2: 2, db3: 2 });
      await pair.answers(3306, { db1: 4 });
      one.set();
      await pair.answers(3306, { db2: 4 });
      await pair.answers(3307, { db2: 3, db3: 3 });
      one.set('/');
      two.set();
      await pair.answers(3306, { db1: 4 });
      await pair.answers(3307, { db1: 3, db3: 3 });
    },

    'Galera by the address of the client': async (t) => {
      const nodes = { node1: '10.13.1.1:3306', node2: '10.13.1.2:3306', node3: '10.13.1.3:3306' };
      const servers = await named(t, nodes, { manner: manners.mysql });
      const own = ['10.13.1.100/32'];
      const pair = await Pair.start(t, 'haproxy', 'galera_source.cfg', { own });
      const at = { host: '10.13.1.100' };
      await pair.sticks(3306, ['node1', 'node2', 'node3'], at);
      await servers.node2.stop();
      await pair.sticks(3306, ['node1', 'node3'], at);
    },

    'Redis, the first that answers': async (t) => {
      const servers = await named(
        t,
        { a: '10.1.0.1:6379', b: '10.1.0.2:6379' },
        { manner: manners.redis(() => 'master') },
      );
      const pair = await Pair.start(t, 'haproxy', 'redis_check.cfg');
      await pair.answers(6379, { a: 3 });
      await pair.answers(6380, { a: 3 });
      await servers.a.stop();
      await pair.answers(6379, { b: 3 });
      await servers.a.start();
      await pair.answers(6379, { a: 3 });
    },

    'Redis, the master behind sentinels': async (t) => {
      let master = 'r1';
      for (const [name, last] of [
        ['r1', 1],
        ['r2', 2],
        ['r3', 3],
      ] as const) {
        const manner = manners.redis(() => (master === name ? 'master' : 'slave'));
        await named(t, { [name]: `10.1.1.${last}:6379` }, { manner });
      }
      const pair = await Pair.start(t, 'haproxy', 'redis_sentinel.cfg');
      await pair.answers(6379, { r1: 3 });
      master = 'r3';
      await pair.answers(6379, { r3: 3 });
      master = 'none';
      await pair.answers(6379, { [NONE]: 2 });
    },

    'Redis, writes and reads': async (t) => {
      let master = 'redis1';
      for (const [name, last] of [
        ['redis1', 1],
        ['redis2', 2],
        ['redis3', 3],
      ] as const) {
        const manner = manners.redis(() => (master === name ? 'master' : 'slave'));
        await named(t, { [name]: `10.12.0.${last}:6379` }, { manner });
      }
      const pair = await Pair.start(t, 'haproxy', 'redis_replicas.cfg');
      await pair.answers(6379, { redis1: 3 });
      await pair.holds(6380, { redis2: 2, redis3: 2 });
      master = 'redis2';
      await pair.answers(6379, { redis2: 3 });
      await pair.holds(6380, { redis1: 2, redis3: 2 });
    },
  };
}
