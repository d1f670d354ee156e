/** HAProxy's configuration as one of sluice: the mode tcp of it, and a report on all of it. */
import { ok } from '../../core/result.js';
import { writeAdmin } from '../admin.js';
import type { Capabilities } from '../capabilities.js';
import { Claims } from '../claims.js';
import { Draft, fullOf } from '../draft.js';
import { lookUp } from '../look_up.js';
import { Names } from '../names.js';
import { type ImportResult, type SourceText, syntaxFault } from '../source.js';
import { type Place, placeText } from '../statement.js';
import { isStats, readGlobals, writeLog, writeStats } from './globals.js';
import { writeListeners } from './listeners.js';
import { writePool } from './pools.js';
import { markUseless, ProxySettings } from './proxy.js';
import type { HaproxyScene, Pools, ProxyPool } from './scene.js';
import { type HaproxyTree, type ProxySection, readSections } from './sections.js';
import { haproxyMs } from './times.js';
import {
  ALWAYS_ON,
  BACKEND_SETTINGS,
  DROPPED_SETTINGS,
  FRONTEND_SETTINGS,
  IDLE_SETTINGS,
} from './vocabulary.js';

/**
 * Translates files in their order, as `haproxy -f ONE -f OTHER` reads them. Pure: what a variable
 * of the environment has is in `environment`.
 */
export function importHaproxy(
  sources: readonly SourceText[],
  environment: ReadonlyMap<string, string>,
  has: Capabilities,
): ImportResult {
  const tree = readSections(sources, environment);
  if (!tree.ok) return syntaxFault(tree.error);
  const fault = findFault(tree.value.sections);
  if (fault !== null) return syntaxFault(fault);
  const draft = new Draft();
  translate(tree.value, draft, has);
  const names = sources.map(({ file }) => file).join(', ');
  const head = [
    `# Translated from ${names.replace(/\p{Cc}/gu, '?')} by \`sluice import haproxy\`.`,
    '# The comments name the lines that a key comes from.',
  ];
  const entries = tree.value.statements.flatMap((statement) => statement.entries());
  return ok({ toml: draft.text(head), entries });
}

function translate({ sections }: HaproxyTree, draft: Draft, has: Capabilities): void {
  const globals = readGlobals(
    sections.filter(({ kind }) => kind === 'global'),
    draft,
    has,
  );
  for (const section of sections) {
    if (section.kind === 'defaults') markUseless(section);
    if (section.kind === 'other') markOther(section);
  }
  const proxies = sections
    .filter(({ kind }) => ['listen', 'frontend', 'backend'].includes(kind))
    .map((section) => new ProxySettings(section));
  const living = proxies.filter((proxy) => isLiving(proxy));
  const stats = living.filter(isStats);
  const served = living.filter((proxy) => !stats.includes(proxy) && !isHttp(proxy));
  const scene = sceneOf(served, sections, { draft, globals, has });
  for (const proxy of served) if (proxy.section.kind !== 'backend') writeListeners(scene, proxy);
  for (const proxy of served)
    if (proxy.section.kind === 'backend') scene.pools.pool(proxy.name, null);
  for (const proxy of stats) writeStats(proxy, draft, scene.claims);
  writeAdmin(draft, scene.claims);
  writeLog(served, draft);
  markSettings(sections);
  markNamed(sections);
}

/** Pools are written when they are first asked for, so that they stand behind their listener. */
function sceneOf(
  proxies: readonly ProxySettings[],
  sections: readonly ProxySection[],
  given: Pick<HaproxyScene, 'draft' | 'globals' | 'has'>,
): HaproxyScene {
  const backends = new Map(
    proxies.filter(({ section }) => section.kind !== 'frontend').map((one) => [one.name, one]),
  );
  const names = new Names();
  const written = new Map<string, ProxyPool>();
  const pools: Pools = {
    pool(backend, listenerPort) {
      const known = written.get(backend);
      const proxy = backends.get(backend);
      if (known !== undefined || proxy === undefined) return known ?? null;
      if (!given.draft.hasRoomFor('pools')) {
        for (const one of [proxy.section.head, ...proxy.section.body])
          one.part().dropped(fullOf('pools'));
        return null;
      }
      const pool = { name: names.take(backend), proxy };
      written.set(backend, pool);
      if (proxy.section.kind === 'backend') {
        if (pool.name === backend) proxy.head.mark('translated', `pools.${pool.name}`);
        else proxy.head.changed(`it is called ${pool.name}`);
      }
      writePool(scene, pool.name, proxy, listenerPort);
      return pool;
    },
  };
  const fronts = proxies.filter(({ section }) => section.kind !== 'backend').length;
  const scene: HaproxyScene = {
    ...given,
    fronts,
    claims: new Claims(),
    resolvers: resolversOf(sections),
    listenerNames: new Names(),
    pools,
  };
  return scene;
}

function resolversOf(sections: readonly ProxySection[]): HaproxyScene['resolvers'] {
  const found = sections.filter(({ kind }) => kind === 'resolvers');
  return new Map(
    found.map(({ name, body }) => [name, body.filter((one) => one.value(0) === 'nameserver')]),
  );
}

/** `disabled`: HAProxy starts nothing of it, and neither does sluice. */
function isLiving(proxy: ProxySettings): boolean {
  const disabled = proxy.setting('disabled');
  if (disabled === undefined || proxy.section.body.some((one) => one.value(0) === 'enabled')) {
    return true;
  }
  for (const statement of [proxy.section.head, ...proxy.section.body]) {
    statement.part().idle(`it is disabled at ${placeText(disabled.place)}`);
  }
  return false;
}

function isHttp(proxy: ProxySettings): boolean {
  const mode = proxy.setting('mode');
  const name = mode?.value(1) ?? 'tcp';
  if (name === 'tcp') return false;
  for (const statement of [proxy.section.head, ...proxy.section.body]) {
    statement.part().dropped(`mode ${name}: sluice does not look into the bytes`);
  }
  return true;
}

/** Words that need no key, in sections that are translated. */
function markSettings(sections: readonly ProxySection[]): void {
  const kinds = new Set(['defaults', 'listen', 'frontend', 'backend']);
  for (const section of sections) {
    if (!kinds.has(section.kind)) continue;
    for (const statement of section.body) {
      const isOff = statement.value(0) === 'no';
      const [first = '', second = ''] = statement.values(isOff ? 1 : 0);
      const why = lookUp(IDLE_SETTINGS, `${first} ${second}`) ?? lookUp(IDLE_SETTINGS, first);
      const lost =
        lookUp(DROPPED_SETTINGS, `${first} ${second}`) ?? lookUp(DROPPED_SETTINGS, first);
      if (why !== undefined && isOff && ALWAYS_ON.has(`${first} ${second}`)) {
        statement.part().changed(`${why}; this cannot be switched off`);
      } else if (why !== undefined) statement.part().idle(why);
      else if (lost !== undefined && !isOff)
        statement.part().unlessIdle((part) => part.dropped(lost));
      else if (isOff) statement.part().idle('it is off by default');
      else if (section.kind === 'defaults' && isKnown(first, second)) {
        statement.part().idle('nothing that is translated inherits it');
      } else if (isMisplaced(section, first, second)) {
        statement.part().idle(`it has no effect in a ${section.kind}`);
      }
    }
  }
  for (const { kind, body } of sections) {
    if (kind !== 'defaults') continue;
    for (const statement of body) {
      if (statement.value(0) === 'mode') statement.part().idle('the mode of each section counts');
    }
  }
}

const KNOWN = new Set([
  ...BACKEND_SETTINGS,
  ...FRONTEND_SETTINGS,
  ...['log', 'option dontlognull', 'option tcplog', 'option dontlog-normal', 'log-tag', 'stats'],
  ...['mode', 'acl', 'tcp-request', 'log-format', 'option httplog'],
]);

function isKnown(first: string, second: string): boolean {
  return KNOWN.has(first) || KNOWN.has(`${first} ${second}`);
}

function isMisplaced({ kind }: ProxySection, first: string, second: string): boolean {
  const foreign =
    kind === 'frontend' ? BACKEND_SETTINGS : kind === 'backend' ? FRONTEND_SETTINGS : null;
  return foreign !== null && (foreign.has(first) || foreign.has(`${first} ${second}`));
}

/** Sections of other kinds have no counterpart. */
function markOther({ head, body }: ProxySection): void {
  for (const statement of [head, ...body]) {
    statement.part().dropped(`sluice has nothing like a section ${head.value(0)}`);
  }
}

function markNamed(sections: readonly ProxySection[]): void {
  for (const { kind, head, body } of sections) {
    if (kind === 'peers') {
      head
        .part()
        .changed(
          'the machines share the configuration: the same one gives a client the same backend',
        );
      for (const one of body)
        one.part().changed('sluice keeps no such table, so there is none to share');
    }
    if (kind !== 'resolvers') continue;
    head.part().changed('names are looked up by the resolver of the system');
    for (const one of body) {
      const isServer = one.value(0) === 'nameserver' || one.value(0) === 'parse-resolv-conf';
      const system = "names of servers are looked up as the system's /etc/resolv.conf says";
      if (isServer) one.part().unlessMarked((part) => part.changed(system));
      else
        one
          .part()
          .changed('names are looked up every 10 s; a backend stays when an answer is missing');
    }
  }
}

interface Fault extends Place {
  readonly problem: string;
}

/** What HAProxy would refuse too, and could be misread here. */
function findFault(sections: readonly ProxySection[]): Fault | null {
  for (const { kind, body } of sections) {
    if (kind === 'other') continue;
    for (const statement of body) {
      const [word, subject = '', value] = statement.values(0);
      const problem =
        word === 'timeout' && kind !== 'resolvers' && haproxyMs(value ?? '') === null
          ? `timeout ${subject}: ${JSON.stringify(value ?? '')} is not a time (such as 500ms, 5s, 30m)`
          : word === 'server' && value === undefined && kind !== 'peers'
            ? 'a server needs a name and an address'
            : word === 'bind' && subject === ''
              ? 'bind without an address'
              : null;
      if (problem !== null) return { ...statement.place, problem };
    }
  }
  return null;
}
