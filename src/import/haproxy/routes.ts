/** `use_backend … if` as the routes of a listener. */
import { LACKS } from '../capabilities.js';
import { fullOf } from '../draft.js';
import { type AclTest, type Rule, ruleOf } from './acls.js';
import type { ProxySettings } from './proxy.js';
import type { HaproxyScene } from './scene.js';

/** Writes the routes of `listener`; the answer is the backend for what none of them fits. */
export function writeRoutes(
  scene: HaproxyScene,
  listener: string,
  proxy: ProxySettings,
  port: number | null,
): string | null {
  const fallback = proxy.setting('default_backend');
  let unconditional: string | null = null;
  for (const statement of proxy.all('use_backend')) {
    const rule = ruleOf(proxy, statement, 2);
    const backend = statement.value(1);
    if (unconditional !== null) {
      statement.part().idle('an earlier rule takes all sessions');
    } else if (
      !isComputed(backend) &&
      rule.condition.some((all) =>
        all.every(({ on, negated }) => on === 'always' && negated === 'as it is'),
      )
    ) {
      statement.part().mark('translated', `listeners.${listener}.pool`);
      unconditional = backend;
    } else writeRule(scene, listener, rule, { backend, port });
  }
  if (unconditional !== null) {
    fallback?.idle('an earlier rule takes all sessions');
    return unconditional;
  }
  fallback?.mark('translated', `listeners.${listener}.pool`);
  return fallback?.value(1) ?? null;
}

/** Why a listener has neither a route nor a pool. */
export function whyNowhere(proxy: ProxySettings, fallback: string | null): string {
  if (fallback !== null) return `there is no backend ${fallback}`;
  const hasComputed = proxy.all('use_backend').some((one) => isComputed(one.value(1)));
  return hasComputed ? COMPUTED : 'it names no backend';
}

const COMPUTED = 'an expression chooses the backend';

/** No name of a backend has a percent sign. */
function isComputed(backend: string): boolean {
  return backend.includes('%');
}

interface Target {
  readonly backend: string;
  readonly port: number | null;
}

function writeRule(
  scene: HaproxyScene,
  listener: string,
  rule: Rule,
  { backend, port }: Target,
): void {
  const why = whyNot(scene, rule);
  const pool = why === null ? scene.pools.pool(backend, port) : null;
  if (why !== null || pool === null) {
    const reason = why ?? `${backend} cannot be translated`;
    rule.statement.part().dropped(reason);
    for (const acl of rule.acls) acl.part().dropped(reason);
    return;
  }
  for (const all of rule.condition) {
    const route = scene.draft.listed(['listeners', listener, 'routes'], [rule.statement.place]);
    const names = all.flatMap((test) => (test.on === 'server name' ? test.names : []));
    const blocks = all.flatMap((test) => (test.on === 'client' ? test.blocks : []));
    if (names.length > 0) route.put('server_name', names, '');
    if (blocks.length > 0) route.put('client', blocks, '');
    route.put('pool', pool.name, '');
  }
  const path = `listeners.${listener}.routes`;
  for (const one of [rule.statement, ...rule.acls]) one.part().mark('translated', path);
}

function whyNot(scene: HaproxyScene, { condition, statement }: Rule): string | null {
  if (isComputed(statement.value(1))) return COMPUTED;
  for (const test of condition.flat()) {
    const why = whyNoTest(test);
    if (why !== null) return why;
  }
  const twice = condition.some((all) =>
    (['server name', 'client'] as const).some(
      (on) => all.filter((test) => test.on === on).length > 1,
    ),
  );
  if (twice) return 'a route can have each kind of condition only once';
  const empty = condition.some((all) => all.every(({ on }) => on === 'hello' || on === 'always'));
  if (empty) return 'a route needs a condition on the server name or the address';
  if (scene.has.routes === 'not here') return LACKS.routes;
  return scene.draft.hasRoomFor('routes', condition.length) ? null : fullOf('routes');
}

function whyNoTest(test: AclTest): string | null {
  if (test.on === 'other') return test.why;
  if (test.on === 'client' && test.files.length > 0)
    return 'routes cannot take addresses from a file';
  return test.negated === 'negated' ? 'routes have no "not"' : null;
}
