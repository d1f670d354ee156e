/** `tcp-request … accept|reject` on the client's address as the access lists of a listener. */
import { accessLists, EVERYWHERE, type FileLists, type FileRule, fileLists } from '../access.js';
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
  const told: Told[] = [];
  const counting = writeClientLimits(scene, listener, proxy);
  for (const statement of proxy.all('tcp-request')) {
    const where = statement.value(1);
    if (where === 'inspect-delay' || counting.has(statement)) continue;
    const action = statement.value(2);
    const rule = ruleOf(proxy, statement, 3);
    if (action !== 'accept' && action !== 'reject') {
      drop(rule, 'sluice has no such action');
      continue;
    }
    const read = addressRules(action === 'accept' ? 'allow' : 'deny', rule.condition);
    if (typeof read === 'string') drop(rule, read);
    else if (read === null) waits(rule);
    else if (scene.has.access === 'not here') drop(rule, LACKS.access);
    else told.push({ rule, rules: read });
  }
  const lists = fileLists(told.flatMap(({ rules }) => rules));
  const hasFiles = ({ rules }: Told): boolean => rules.some(({ files }) => files.length > 0);
  if (told.some(hasFiles) && lists !== null) return writeLists(scene, listener, told, lists);
  for (const one of told) if (hasFiles(one)) drop(one.rule, FILE_AMONG_OTHERS);
  const known = told.filter((one) => !hasFiles(one));
  const ordered = accessLists(known.flatMap(({ rules }) => rules));
  return writeLists(scene, listener, known, { ...ordered, allowFiles: [], denyFiles: [] });
}

interface Told {
  readonly rule: Rule;
  readonly rules: readonly FileRule[];
}

const FILE_AMONG_OTHERS =
  'its addresses are in a file, and the order of this rule and the others cannot be kept';

function writeLists(
  { draft }: HaproxyScene,
  listener: string,
  told: readonly Told[],
  { allow, allowFiles, deny, denyFiles }: FileLists,
): void {
  if (told.length === 0) return;
  const places = told.map(({ rule }) => rule.statement.place);
  const table = draft.table(['listeners', listener, 'access'], places);
  const statements = told.flatMap(({ rule: { statement, acls } }) => [statement, ...acls]);
  const parts = statements.map((one) => one.part());
  const lists = { allow, allow_files: allowFiles, deny, deny_files: denyFiles };
  for (const part of parts) part.idle('all clients may connect anyway');
  for (const [key, list] of Object.entries(lists)) {
    if (list.length > 0) table.take(key, list, parts);
  }
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
  table.put('ipv6_prefix', 128, 'each IPv6 address is a client of its own');
  return counting;
}

function drop(rule: Rule, why: string): void {
  rule.statement.part().dropped(why);
  for (const acl of rule.acls) acl.part().dropped(why);
}

/** `accept if { req.ssl_hello_type 1 }`: HAProxy waits for the hello only if a rule asks for it. */
function waits({ statement, acls }: Rule): void {
  for (const one of [statement, ...acls]) {
    one.part().idle('sluice waits for the hello where a route asks for it');
  }
}

/** A sentence: why not. Null: it only waits for the hello. */
function addressRules(
  action: FileRule['action'],
  condition: AclCondition,
): readonly FileRule[] | string | null {
  const rules: FileRule[] = [];
  for (const all of condition) {
    const tests = all.filter(({ on, negated }) => on !== 'always' || negated === 'negated');
    const odd = tests.find(({ on }) => on === 'other' || on === 'server name');
    if (odd !== undefined) return odd.on === 'other' ? odd.why : 'access lists have addresses only';
    if (tests.some(({ on }) => on === 'always')) continue;
    if (tests.some(({ on }) => on === 'hello'))
      return action === 'allow' ? null : 'it depends on the first bytes of the client';
    const rule = oneRule(action, tests);
    if (rule === null) return 'it asks for addresses that are in two lists at once';
    rules.push(rule);
  }
  return rules;
}

function oneRule(action: FileRule['action'], tests: readonly AclTest[]): FileRule | null {
  const clients = tests.flatMap((test) => (test.on === 'client' ? [test] : []));
  const [first] = clients;
  if (first === undefined) return { action, fits: 'within', blocks: EVERYWHERE, files: [] };
  if (clients.every(({ negated }) => negated === 'negated')) {
    // Outside of each list is outside of all of them together.
    const blocks = clients.flatMap((one) => one.blocks);
    return { action, fits: 'outside', blocks, files: clients.flatMap(({ files }) => files) };
  }
  const { blocks, files } = first;
  return clients.length === 1 ? { action, fits: 'within', blocks, files } : null;
}

/** The delay within which content has to come; null: none is set. */
export function inspectDelay(proxy: ProxySettings): Statement | null {
  return proxy.all('tcp-request').find((one) => one.value(1) === 'inspect-delay') ?? null;
}
