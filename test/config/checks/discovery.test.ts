/** Each kind of source has its keys, and says which are missing or foreign. */
import t from 'tap';
import { loadConfig } from '../../../src/config/load.js';
import { problemsOf } from '../../support/config_problems.js';

const source = (lines: string): string => `[pools.p]
[[pools.p.discovery]]
${lines}`;

const PLACE = 'pools.p.discovery[0]';

t.test('what a kind needs, and what belongs to another', async (t) => {
  const found = {
    'hold = "1s"': [
      `2:11: ${PLACE}.kind: missing (expected "dns", "file", "http", "etcd", "consul", "kubernetes", "sentinel" or "patroni"; got nothing)`,
    ],
    'kind = "dns"': [
      `2:11: ${PLACE}.name: missing, and kind = "dns" needs it (expected a domain name; got nothing)`,
      `2:11: ${PLACE}.port: missing, and addresses need it (expected a port, or srv = true; got nothing)`,
    ],
    'kind = "dns"\nname = "a.b"\nsrv = true\nport = 1': [
      `6:1: ${PLACE}.port: stands beside srv = true, and SRV records name their own (expected one of the two; got 1)`,
    ],
    'kind = "file"\npath = "/x"\nname = "a"': [
      `5:1: ${PLACE}.name: not a key of kind = "file" (expected it with "dns" only; got "a")`,
    ],
    'kind = "http"\nurl = "http://user@host/"': [
      `4:1: ${PLACE}.url: not an http or https URL without a user (expected an http or https URL without a user; got a string)`,
    ],
    'kind = "dns"\nname = "a"\nport = 1\nservers = ["ns.example"]': [
      `6:12: ${PLACE}.servers[0]: no port (expected a list of up to 8 addresses, each with or without a port; got "ns.example")`,
    ],
    'kind = "dns"\nname = "a"\nport = 1\nmin_refresh = "2s"\nmax_refresh = "1s"': [
      `6:1: ${PLACE}.min_refresh: longer than max_refresh (expected the same or shorter; got "2s")`,
    ],
    'kind = "dns"\nname = "a"\nport = "postgres"': [
      `5:1: ${PLACE}.port: a name, and addresses have none (expected a number; got postgres)`,
    ],
    'kind = "kubernetes"\nservice = "pg"': [
      `4:1: ${PLACE}.service: names no namespace (expected "namespace/name"; got pg)`,
    ],
    'kind = "consul"\nurl = "http://127.0.0.1:8500"\nservice = "db/pg"': [
      `5:1: ${PLACE}.service: names a namespace, and Consul has none here (expected the name alone; got db/pg)`,
    ],
    'kind = "etcd"\nurls = ["http://127.0.0.1:2379"]\nprefix = "/pg/"\nuser = "sluice"': [
      `2:11: ${PLACE}.password_file: missing, and user needs it (expected both or none; got nothing)`,
    ],
    'kind = "etcd"\nurls = ["http://user:secret@127.0.0.1:2379"]\nprefix = "/pg/"': [
      `4:9: ${PLACE}.urls[0]: no such URL (expected a list of 1 to 16 http or https URLs without a user or a query; got a string)`,
    ],
    'kind = "patroni"\nurls = ["http://127.0.0.1:8008/?token=secret"]': [
      `4:9: ${PLACE}.urls[0]: no such URL (expected a list of 1 to 16 http or https URLs without a user or a query; got a string)`,
    ],
    'kind = "file"\npath = "/x"\n[[pools.p.discovery]]\nkind = "file"\npath = "/x"': [
      '5:11: pools.p.discovery[1]: discovery[0] is the same source (expected each source once in a pool; got file /x)',
    ],
  };
  for (const [lines, problems] of Object.entries(found)) {
    t.strictSame(problemsOf(source(lines)), problems, lines);
  }
});

t.test('what the file says becomes what control follows', async (t) => {
  const text = `[pools.p]
max_connections = 9
[[pools.p.discovery]]
kind = "dns"
name = "_pg._tcp.example.org"
srv = true
servers = ["127.0.0.1", "[::1]:54"]
hold = "0s"
allow_empty = true`;
  const loaded = loadConfig(text, 'x');
  t.match(loaded.ok && loaded.value.spec.pools[0]?.discovery, [
    {
      source: {
        kind: 'dns',
        records: 'services',
        servers: [
          { host: '127.0.0.1', port: 53 },
          { host: '::1', port: 54 },
        ],
        minRefreshMs: 1_000,
        maxRefreshMs: 300_000,
      },
      rules: {
        holdMs: 0,
        confirmMs: 10_000,
        maxRemovedPercent: 50,
        whenEmpty: 'follow',
        limit: 1_024,
      },
      maxConnections: 9,
    },
  ]);
});
