/** What does not fit into a configuration is dropped with its reason; the rest is translated. */
import t, { type Test } from 'tap';
import { formatIssue } from '../../src/config/issue.js';
import { loadConfig } from '../../src/config/load.js';
import { MAX_LISTENERS, MAX_ROUTES } from '../../src/core/limits.js';
import { capabilities } from '../../src/import/capabilities.js';
import { importHaproxy } from '../../src/import/haproxy/import.js';
import { importNginx } from '../../src/import/nginx/import.js';
import type { ImportResult } from '../../src/import/source.js';

const MORE = MAX_LISTENERS + 2;
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at);
const listensAt = (at: number): string => `127.0.${at >> 8}.${at & 255}:9000`;

const haproxy = (text: string): ImportResult =>
  importHaproxy([{ file: 'haproxy.cfg', text }], new Map(), capabilities());
const nginx = (text: string): ImportResult =>
  importNginx({ file: 'nginx.conf', text }, new Map(), capabilities());

const DEFAULTS = 'defaults\nmode tcp\ntimeout connect 5s\ntimeout client 1m\ntimeout server 1m\n';

t.test('of too many listeners and pools of HAProxy the first ones are translated', async (t) => {
  const proxies = numbers(MORE).map(
    (at) => `listen l${at}\nbind ${listensAt(at)}\nserver s 10.0.0.1:80\n`,
  );
  const { listeners, reasons } = read(t, haproxy(DEFAULTS + proxies.join('')));
  t.equal(listeners, MAX_LISTENERS);
  t.same([...reasons], [['a configuration has 4096 listeners at most', 6]]);
});

t.test('of too many backends of HAProxy the first ones are translated', async (t) => {
  const proxies = numbers(MORE).map((at) => `backend b${at}\nserver s 10.0.0.1:80\n`);
  const front = `frontend f\nbind ${listensAt(0)}\ndefault_backend b0\n`;
  const { listeners, reasons } = read(t, haproxy(DEFAULTS + front + proxies.join('')));
  t.equal(listeners, 1);
  t.same([...reasons], [['a configuration has 4096 pools at most', 4]]);
});

t.test('of too many routes of HAProxy the first ones are translated', async (t) => {
  const rules = numbers(MAX_ROUTES + 2).map(
    (at) => `use_backend b if { req.ssl_sni n${at}.example.org }\n`,
  );
  const front = `frontend f\nbind ${listensAt(0)}\n${rules.join('')}default_backend b\n`;
  const { reasons } = read(t, haproxy(`${DEFAULTS + front}backend b\nserver s 10.0.0.1:80\n`));
  t.same([...reasons], [['a configuration has 16384 routes at most', 2]]);
});

t.test('of too many servers of nginx the first ones are translated', async (t) => {
  const servers = numbers(MORE).map(
    (at) => `server { listen ${listensAt(at)}; proxy_pass 10.0.0.1:${at + 1}; }\n`,
  );
  const { listeners, reasons } = read(t, nginx(`stream {\n${servers.join('')}}\n`));
  t.equal(listeners, MAX_LISTENERS);
  t.same([...reasons], [['a configuration has 4096 listeners at most', 6]]);
});

/** How many listeners a translation has, and why how many entries of its report are dropped. */
function read(
  t: Test,
  result: ImportResult,
): { readonly listeners: number; readonly reasons: ReadonlyMap<string, number> } {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const { toml, entries } = result.value;
  const loaded = loadConfig(toml, 'toml');
  t.same(loaded.ok ? [] : loaded.error.map(formatIssue), []);
  const reasons = new Map<string, number>();
  for (const { verdict, notes } of entries) {
    const why = notes.join();
    if (verdict === 'dropped') reasons.set(why, (reasons.get(why) ?? 0) + 1);
  }
  return { listeners: loaded.ok ? loaded.value.spec.listeners.length : 0, reasons };
}
