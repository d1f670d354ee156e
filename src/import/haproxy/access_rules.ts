/** `tcp-request … accept|reject` on the client's address as the access lists of a listener. */
import { type AddressRule, accessLists, EVERYWHERE } from '../access.js';
import { LACKS } from '../capabilities.js';
import type { Statement } from '../statement.js';
import { type AclCondition, type AclTest, type Rule, ruleOf } from './acls.js';
import { clientLimit } from './client_limits.js';
import type { ProxySettings } from './proxy.js';
import type { HaproxyScene } from './scene.js';

/**
 * Writes `[listeners.NAME.access]` and what one client may have of `[listeners.NAME.limits]`, and
 * answers for every `tcp-request` of `proxy`.
 */
export function writeAccess(scene: HaproxyScene, listener: string, proxy: ProxySettings): void {
  const rules: AddressRule[] = [];
  const told: Rule[] = [];
  const counting = writeClientLimits(scene, listener, proxy);
  for (const statement of proxy.all('tcp-request')) {
    const where = statement.value(1);
    if (where === 'inspect-delay' || counting.has(statement)) continue;
    const action = statement.value(2);
    const rule = ruleOf(proxy, statement, 3);
    if (action !== 'accept' && action !== 'reject') {
      drop(rule, 'no early stage does such a thing');
      continue;
    }
    const read = addressRules(action === 'accept' ? 'allow' : 'deny', rule.condition);
    if (typeof read === 'string') drop(rule, read);
    else if (read === null) waits(rule);
    else if (scene.has.access === 'not here') drop(rule, LACKS.access);
    else {
      rules.push(...read);
      told.push(rule);
    }
  }
  if (rules.length === 0) return;
  const lists = accessLists(rules);
  const table = scene.draft.table(
    ['listeners', listener, 'access'],
    told.map(({ statement }) => statement.place),
  );
  const parts = told.flatMap(({ statement, acls }) =>
    [statement, ...acls].map((one) => one.part()),
  );
  const how = 'the most specific block decides, which comes to the same';
  if (lists.allow.length > 0) table.take('allow', lists.allow, parts, how);
  if (lists.deny.length > 0) table.take('deny', lists.deny, parts, how);
}

/** The least of them counts. Answers which statements are about that. */
function writeClientLimits(
  { draft, has }: HaproxyScene,
  listener: string,
  proxy: ProxySettings,
): ReadonlySet<Statement> {
  const counting = new Set<Statement>();
  if (has.limits === 'not here') return counting;
  const limits = proxy.all('tcp-request').flatMap((statement) => {
    const limit = clientLimit(proxy, statement);
    if (limit !== null) for (const one of limit.statements) counting.add(one);
    return limit === null ? [] : [limit];
  });
  if (limits.length === 0) return counting;
  const least = Math.min(...limits.map(({ sessions }) => sessions));
  const parts = [...counting].map((one) => one.part());
  const table = draft.table(['listeners', listener, 'limits']);
  table.take('sessions_per_client', least, parts);
  table.put('ipv6_prefix', 128, 'each IPv6 address by itself');
  return counting;
}

function drop(rule: Rule, why: string): void {
  rule.statement.part().dropped(why);
  for (const acl of rule.acls) acl.part().dropped(why);
}

/** `accept if { req.ssl_hello_type 1 }`: HAProxy has to be told to wait for the hello. */
function waits({ statement, acls }: Rule): void {
  for (const one of [statement, ...acls]) {
    one.part().idle('sluice waits for the hello where a route asks for it');
  }
}

/** A sentence: why not. Null: it only waits for the hello. */
function addressRules(
  action: AddressRule['action'],
  condition: AclCondition,
): readonly AddressRule[] | string | null {
  const rules: AddressRule[] = [];
  for (const all of condition) {
    const tests = all.filter(({ on, negated }) => on !== 'always' || negated === 'negated');
    const odd = tests.find(({ on }) => on === 'other' || on === 'server name');
    if (odd !== undefined) return odd.on === 'other' ? odd.why : 'access knows addresses only';
    if (tests.some(({ on }) => on === 'always')) continue;
    if (tests.some(({ on }) => on === 'hello'))
      return action === 'allow' ? null : 'it looks at the hello';
    const rule = oneRule(action, tests);
    if (rule === null) return 'addresses that must lie in two lists at once';
    rules.push(rule);
  }
  return rules;
}

function oneRule(action: AddressRule['action'], tests: readonly AclTest[]): AddressRule | null {
  const clients = tests.flatMap((test) => (test.on === 'client' ? [test] : []));
  const [first] = clients;
  if (first === undefined) return { action, fits: 'within', blocks: EVERYWHERE };
  if (clients.every(({ negated }) => negated === 'negated')) {
    // Outside of each list is outside of all of them together.
    return { action, fits: 'outside', blocks: clients.flatMap(({ blocks }) => blocks) };
  }
  return clients.length === 1 ? { action, fits: 'within', blocks: first.blocks } : null;
}

/** The delay within which content has to come; null: none is set. */
export function inspectDelay(proxy: ProxySettings): Statement | null {
  return proxy.all('tcp-request').find((one) => one.value(1) === 'inspect-delay') ?? null;
}
