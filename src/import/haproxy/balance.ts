/** How a proxy of HAProxy chooses a server, as the policy of a pool. */
import type { Draft, DraftTable } from '../draft.js';
import type { Part, Statement } from '../statement.js';
import type { ProxySettings } from './proxy.js';
import type { Server } from './servers.js';

/** Servers that serve only when the first one cannot. */
export type Spares = 'none' | 'all but the first';

const ROUND_ROBIN = 'round-robin';
const SOURCE_HASH = 'source-hash';
const OTHER_HASH = 'each client has one backend, but a different one than with HAProxy';
const TABLE =
  "a hash of the client's address decides, without a table, so nothing expires: a client changes its backend only when that one leaves";

/** What serves in place of the one server that all sessions are sent to. */
const SPARES = {
  one: 'the other one serves while the first one is down, and the first one again after that',
  several:
    'while the first one is down the next one serves, and the first one again once it is well',
} as const;

export interface BalanceScene {
  readonly draft: Draft;
  /** Of the pool. */
  readonly path: readonly string[];
  readonly table: DraftTable;
  readonly proxy: ProxySettings;
  readonly servers: readonly Server[];
}

export function writeBalance(scene: BalanceScene): Spares {
  const stick = stickiness(scene);
  const balance = scene.proxy.setting('balance');
  if (stick === 'source') {
    scene.table.put('policy', SOURCE_HASH, 'stick on src');
    balance?.changed('clients are placed by the hash of their address');
    writeHash(scene);
    return 'none';
  }
  markHash(scene.proxy);
  if (stick === 'one server') {
    scene.table.put('policy', 'least-connections', 'one server at a time');
    balance?.changed('the first backend has all sessions while it is up');
    return 'all but the first';
  }
  if (balance === undefined) {
    scene.table.put('policy', ROUND_ROBIN, "HAProxy's default");
    return 'none';
  }
  return writeAlgorithm(scene, balance);
}

function writeAlgorithm(scene: BalanceScene, balance: Part): Spares {
  const { table } = scene;
  const [, name = '', draws] = /^([\w-]+)(?:\((.*)\))?$/.exec(balance.value(1)) ?? [];
  switch (name) {
    case 'roundrobin':
    case 'static-rr':
      table.take('policy', ROUND_ROBIN, [balance]);
      return 'none';
    case 'leastconn':
      table.take('policy', 'least-connections', [balance]);
      return 'none';
    case 'random':
      takeRandom(table, balance, draws ?? '2');
      return 'none';
    case 'source':
      table.take('policy', SOURCE_HASH, [balance], OTHER_HASH);
      writeHash(scene);
      return 'none';
    case 'hash':
      if (!/^src(?:,ipmask.*)?$/.test(balance.value(2))) break;
      table.take('policy', SOURCE_HASH, [balance], OTHER_HASH);
      writeHash(scene);
      return 'none';
    case 'first': {
      table.take('policy', 'least-connections', [balance]);
      return 'all but the first';
    }
  }
  balance.dropped('no policy uses that; the pool uses round-robin instead');
  table.put('policy', ROUND_ROBIN, 'instead of what cannot be translated');
  return 'none';
}

function takeRandom(table: DraftTable, balance: Part, draws: string): void {
  if (draws === '1') table.take('policy', 'random', [balance]);
  else table.take('policy', 'p2c', [balance], draws === '2' ? undefined : 'two draws');
}

function writeHash({ draft, path, proxy }: BalanceScene): void {
  const hash = draft.table([...path, 'hash']);
  const type = proxy.setting('hash-type');
  const isRing = type?.value(1) === 'consistent';
  const how =
    'with another hash function; few clients change their backend when the set of backends changes';
  if (type !== undefined) hash.take('algorithm', isRing ? 'ring' : 'maglev', [type], how);
  const factor = proxy.setting('hash-balance-factor');
  const percent = /^[0-9]{3,4}$/.test(factor?.value(1) ?? '') ? Number(factor?.value(1)) : 0;
  if (factor !== undefined && percent >= 100 && percent <= 10_000) {
    hash.take('balance_factor', percent / 100, [factor]);
  } else {
    factor?.dropped('not a percentage');
    hash.put('balance_factor', 0, 'a client stays with its backend, whatever the load');
  }
  hash.put('ipv6_prefix', 128, 'each IPv6 address is a client of its own');
}

function markHash(proxy: ProxySettings): void {
  for (const key of ['hash-type', 'hash-balance-factor']) {
    proxy.setting(key)?.idle('no hash is used');
  }
}

type Stickiness = 'none' | 'source' | 'one server';

/** `stick-table` with its `stick` rules. */
function stickiness({ proxy, servers }: BalanceScene): Stickiness {
  const rules = proxy.all('stick');
  const table = proxy.setting('stick-table');
  const found = rules.map(stickTo);
  if (table === undefined || found.length === 0) {
    for (const rule of rules) rule.part().dropped('there is no stick-table for it');
    return 'none';
  }
  const sticks = found.includes('one server')
    ? 'one server'
    : found.includes('source')
      ? 'source'
      : 'none';
  for (const [index, rule] of rules.entries()) {
    if (found[index] !== sticks || sticks === 'none') {
      rule.part().dropped('sluice distinguishes clients by address only');
    } else {
      rule
        .part()
        .changed(sticks === 'source' ? TABLE : SPARES[servers.length > 2 ? 'several' : 'one']);
    }
  }
  if (sticks !== 'none') markTable(table, sticks === 'source' ? TABLE : 'no table is needed');
  return sticks;
}

function stickTo(rule: Statement): Stickiness {
  const [, action = '', what = '', ...rest] = rule.values(0);
  const isUsual = ['on', 'match', 'store-request'].includes(action) && rest.length === 0;
  if (!isUsual) return 'none';
  if (what === 'src') return 'source';
  return what === 'dst' || /^int\([0-9]+\)$/.test(what) ? 'one server' : 'none';
}

/** What the table stores for other rules is marked by those. */
function markTable({ statement }: Part, how: string): void {
  for (let at = 0; at < statement.words.length; at++) {
    const word = statement.value(at);
    const length = ['type', 'size', 'expire', 'peers', 'len', 'store', 'srvkey'].includes(word)
      ? 2
      : 1;
    const part = statement.part(at, at + length);
    if (word === 'peers')
      part.changed('the same configuration gives a client the same backend on every machine');
    else if (word !== 'store') part.changed(how);
    at += length - 1;
  }
}
