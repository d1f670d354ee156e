/** Odd writings, directives beside those that matter, and thousands of lines. */
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { formatAddress } from '../../src/core/endpoint.js';
import { capabilities } from '../../src/import/capabilities.js';
import { importHaproxy } from '../../src/import/haproxy/import.js';
import { type Included, importNginx } from '../../src/import/nginx/import.js';
import type { ImportResult } from '../../src/import/source.js';

const DEFAULTS = ` mode tcp
 timeout connect 1s
 timeout client 1m
 timeout server 1m
`;

const haproxy = (text: string, environment: ReadonlyMap<string, string> = new Map()) =>
  told(importHaproxy([{ file: 'f', text }], environment, capabilities()));
const nginx = (text: string, included: Included = new Map()) =>
  told(importNginx({ file: 'f', text }, included, capabilities()));

function told(result: ImportResult) {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const { toml, entries } = result.value;
  const loaded = loadConfig(toml, 'toml');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const { listeners, pools } = loaded.value.spec;
  return {
    listeners,
    pools,
    binds: listeners.map(({ bind }) => bind.map(formatAddress)),
    backends: pools.map(({ backends }) => backends.map(({ address }) => formatAddress(address))),
    dropped: entries.flatMap(({ verdict, text }) => (verdict === 'dropped' ? [text] : [])),
    notes: (wanted: string) => entries.find(({ text }) => text === wanted)?.notes.join('; '),
  };
}

t.test('quotes, tabs, CRLF, variables and all ways to write an address', async (t) => {
  const text = `global
\tsetenv PORT 7000
\tpresetenv HOST 10.0.0.1
defaults base
${DEFAULTS}defaults next from base
 balance\tleastconn
listen "a" from next
 bind "127.0.0.1:\${PORT}"
 bind "\${HOST}:7001,\${NONE-10.9.9.9}:7002-7003",[::1]:7005 # a comment
 bind ipv6@:7007
 bind ipv4@127.0.0.1:7008
 bind :7009 \\
   name 'a name' backlog 100
 bind unix@/run/x.sock
 bind /run/y.sock
 bind 2001:db8::2:7011
 server s1 "\${HOST}":80
 server s2 [::1]:80
 server s3 ipv6@2001:db8::5:80
 server s4 unix@/run/z.sock
 server s5 name.example:80`.replaceAll('\n', '\r\n');
  const { binds, backends, pools, dropped } = haproxy(text, new Map([['HOST', '10.0.0.7']]));
  t.same(binds, [
    [
      ...['127.0.0.1:7000', '10.0.0.7:7001', '10.9.9.9:7002', '10.9.9.9:7003', '[::1]:7005'],
      ...['[::]:7007', '127.0.0.1:7008', '0.0.0.0:7009', 'unix:/run/x.sock', 'unix:/run/y.sock'],
      '[2001:db8::2]:7011',
    ],
  ]);
  t.same(backends, [
    ['10.0.0.7:80', '[::1]:80', '[2001:db8::5]:80', 'unix:/run/z.sock', 'name.example:80'],
  ]);
  t.match(pools, [{ settings: { policy: { name: 'least-connections' } } }]);
  t.same(dropped, []);
});

t.test('what is switched off there, and always on here, has changed in meaning', async (t) => {
  const { notes: ofHaproxy } = haproxy(`defaults
${DEFAULTS} no option tcpka
 option clitcpka
listen a
 bind :80
 server s 10.0.0.1:80`);
  t.match(ofHaproxy('no option tcpka'), /^(?!nothing to do).*this cannot be switched off$/);
  t.match(ofHaproxy('option clitcpka'), /^nothing to do/);
  const { notes: ofNginx } = nginx(`stream {
  tcp_nodelay off;
  proxy_half_close on;
  server { listen 1 so_keepalive=off; proxy_pass 10.0.0.1:1; }
}`);
  t.match(ofNginx('tcp_nodelay off'), /^(?!nothing to do).*this cannot be switched off$/);
  t.match(ofNginx('proxy_half_close on'), /^nothing to do/);
  t.match(ofNginx('so_keepalive=off'), /cannot be switched off/);
});

t.test('a directive of a used block is not said to belong to an unused one', async (t) => {
  const more = [{ file: 'm', text: 'c.example up; include deeper;' }];
  const { listeners, dropped, notes } = nginx(
    `stream {
  upstream up { zone up 64k; server 10.0.0.1:1; server 10.0.0.2:1; odd 3; }
  upstream alone { zone alone 64k; server 10.0.0.3:1; }
  map $ssl_preread_server_name $to { volatile; a.example up; include more; default up; }
  server { listen 1; ssl_preread on; preread_timeout 9s; proxy_pass $to; }
  server { listen 2; proxy_next_upstream off; proxy_next_upstream_tries 2; proxy_pass 10.0.0.9:9; }
}`,
    new Map([['more', more]]),
  );
  t.same(dropped, [
    'odd 3',
    'upstream alone',
    'zone alone 64k',
    'server 10.0.0.3:1',
    'include deeper',
  ]);
  t.match(notes('odd 3'), /does not know this word/);
  t.match(notes('zone up 64k'), /nothing to do: all workers share/);
  t.match(notes('preread_timeout 9s'), /hello_timeout/);
  t.same(
    listeners.map(({ routes }) => routes.map(({ conditions }) => conditions.serverNames)),
    [[['a.example'], ['c.example']], []],
  );
});

t.test('thousands of sections, rules, rows, and lines that go on', async (t) => {
  const times = (count: number, line: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => line(index)).join('\n');
  const sections = haproxy(
    `defaults\n${DEFAULTS}${times(
      1_000,
      (at) => `listen l${at}\n bind :${at + 1}\n server s 10.0.0.1:80`,
    )}\n`,
  );
  t.equal(sections.listeners.length, 1_000);
  const rules = haproxy(`defaults\n${DEFAULTS}frontend f
 bind :1
${times(1_000, (at) => ` acl a${at} src 10.0.${at >> 8}.${at & 255}\n use_backend b if a${at}`)}
 default_backend b
backend b
 server s 10.0.0.1:80 \\
${' weight 1 \\\n'.repeat(5_000)} backup
`);
  t.equal(rules.listeners[0]?.routes.length, 1_000);
  t.match(rules.pools, [{ backends: [{ backup: true }] }]);
  const rows = nginx(`stream {
${times(1_000, (at) => `server { listen ${at + 2}; proxy_pass up; }`)}
map $ssl_preread_server_name $to { default up; ${times(5_000, (at) => `h${at}.example up;`)} }
server { listen 1; ssl_preread on; proxy_pass $to; }
upstream up { server 10.0.0.1:1; } }`);
  t.equal(rows.listeners.length, 1_001);
  t.equal(rows.listeners.at(-1)?.routes.length, 5_000);
});

t.test('where an expression chooses the backend, that is the reason', async (t) => {
  const text = (rest: string): string => `defaults\n${DEFAULTS}frontend f
 bind :1
 use_backend %[req_ssl_sni,lower]
${rest}
backend b
 server s 10.0.0.1:80
frontend g
 bind :2
 default_backend b`;
  const alone = haproxy(text(''));
  t.equal(alone.listeners.length, 1, 'nothing of it can work');
  t.equal(alone.notes('frontend f'), 'an expression chooses the backend');
  const other = haproxy(text(' default_backend b'));
  t.equal(other.listeners.length, 2, 'the others go where they went');
  t.same(other.dropped, ['use_backend %[req_ssl_sni,lower]']);
});

t.test('a server whose name cannot be kept has another one, and the report says so', async (t) => {
  const { notes, dropped } = haproxy(`defaults\n${DEFAULTS}listen l
 bind :1
 server "web one" 10.0.0.1:80
 server web-one 10.0.0.2:80`);
  t.match(notes('server "web one" 10.0.0.1:80'), 'it is called web-one');
  t.match(notes('server web-one 10.0.0.2:80'), 'it is called web-one-2');
  t.same(dropped, []);
});

t.test('a flag behind a pattern is a pattern for HAProxy, and is reported as that', async (t) => {
  const rule = 'tcp-request connection reject if own';
  const imported = (acl: string) =>
    haproxy(`defaults
${DEFAULTS}listen a
 bind :1
 acl own src ${acl}
 ${rule}
 server s 10.0.0.1:1`);
  for (const [flag, acl] of [
    ['-f', '10.0.0.0/8 -f /etc/own.lst'],
    ['-n', '-m ip 10.0.0.0/8 -n'],
  ] as const) {
    const { dropped, notes } = imported(acl);
    t.ok(dropped.includes(rule), acl);
    t.match(notes(rule), `${flag} stands behind a pattern, where HAProxy takes it for one`);
  }
  const route = 'use_backend b if { req_ssl_sni a.example -i }';
  const named = haproxy(`defaults
${DEFAULTS}frontend a
 bind :1
 ${route}
 default_backend b
backend b
 server s 10.0.0.1:1`);
  t.ok(named.dropped.includes(route));
  t.match(named.notes(route), '-i stands behind a pattern');
  t.notOk(imported('-f /etc/own.lst -- 10.0.0.0/8').dropped.includes(rule));
});
