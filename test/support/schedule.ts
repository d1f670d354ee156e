/**
 * Which test files need the machine for themselves, or a core, which run on one engine only, and
 * which take long: by their path below test/, without `.test.ts`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';

/**
 * System tests that run one at a time, after all others: they measure latencies, or datagrams must
 * not be lost, and another test beside them would count. One that only waits for times to pass does
 * not belong here: each second of these is a second of the whole run.
 */
export const ALONE: ReadonlySet<string> = new Set([
  'system/many',
  'system/observers',
  'system/standstill',
  'system/udp_reload',
]);

/** System tests with a load of their own: as many at a time as there are cores, nothing beside. */
export const LOADED: ReadonlySet<string> = new Set([
  'system/leaving',
  'system/reload',
  'system/soak',
  'system/udp_crowd',
]);

const NO_WORKER = 'what it tests runs before there is a worker, or without one';
const MAIN_THREAD = 'what it tests runs on the main thread, which knows no engine';
const TRANSLATED = 'a translated file is a file: what it asks for is tested elsewhere';
const WIRE = 'probes and sources have wires of their own, the same beside either engine';

/**
 * System tests that run on one engine, the one that users get here, and why the other one cannot
 * change their result. All that clients' bytes pass through is tested on each engine.
 */
export const ONE_ENGINE: Readonly<Record<string, string>> = {
  'system/access_files': `${MAIN_THREAD}: files are read there; what a list does is in access`,
  'system/api_document': MAIN_THREAD,
  'system/changes_refused': `${MAIN_THREAD}: it says no before a worker hears of the change`,
  'system/clients': `${MAIN_THREAD}: what is counted is tested in limits`,
  'system/commands': NO_WORKER,
  'system/completion': `${MAIN_THREAD}: which names there are`,
  'system/control_harm': MAIN_THREAD,
  'system/control_socket': MAIN_THREAD,
  'system/dashboard': `${MAIN_THREAD}: the page and what it is told`,
  'system/demo': `${MAIN_THREAD}: what it shows; its sessions are ordinary ones`,
  'system/discovery': `${WIRE}; what leaves a pool drains in drain and reload`,
  'system/import': TRANSLATED,
  'system/import_databases': TRANSLATED,
  'system/import_nginx': TRANSLATED,
  'system/import_services': TRANSLATED,
  'system/live': MAIN_THREAD,
  'system/names': MAIN_THREAD,
  'system/observers': MAIN_THREAD,
  'system/overrides_crash': MAIN_THREAD,
  'system/probe_limit': WIRE,
  'system/probes': WIRE,
  'system/prometheus': MAIN_THREAD,
  'system/roles': `${WIRE}; sessions of a demoted backend end in demotion`,
  'system/secrets': 'an engine is given no secret: plans have none',
  'system/sentinel': `${WIRE}; sessions of a demoted backend end in demotion`,
  'system/signals': MAIN_THREAD,
  'system/silent_name_server': MAIN_THREAD,
  'system/sources': WIRE,
  'system/sources_at_rest': MAIN_THREAD,
  'system/states': MAIN_THREAD,
  'system/systemd': MAIN_THREAD,
  'system/top': MAIN_THREAD,
  'system/upgrade_reload': `${MAIN_THREAD}: which process serves; sockets pass in upgrade_sockets`,
  'system/upgrade_state': `${MAIN_THREAD}: what health and the ledger know of backends`,
};

/**
 * They take longest, and begin first, so that no core waits for the last of them. What .ci/run
 * makes for the tests of a whole Debian takes until then.
 */
const LONG: readonly string[] = [
  'contract/discovery',
  'library/discovery_contract',
  'engine/uring/scarcity',
  'simulation/simulation',
  'engine/uring/tcp_contract_descriptor',
  'engine/uring/tcp_contract_bind',
  'engine/node/tcp_contract_descriptor',
  'engine/node/tcp_contract_bind',
  'engine/uring/udp_contract',
  'system/both/patroni',
  'system/gray_failures',
  'system/stopped_process',
  'system/room/systemd_upgrade',
  'system/room/systemd_install',
  'system/room/image',
  'system/end',
  'system/soak',
  'system/reload',
  'system/overrides',
  'system/discovery',
  'system/import_services',
  'system/streams',
  'system/sources',
  'system/access_files',
  'system/systemd',
  'system/ends',
  'system/lost_workers',
  'system/commands',
  'system/control_socket',
  'system/import_databases',
  'system/upgrade_counts',
  'system/upgrade_orders',
  'system/postgres',
  'system/postgres_cancel',
  'system/changes',
  'system/changes_refused',
  'system/import',
  'system/live',
  'system/blast_radius',
  'system/drain',
  'system/drains_ended',
  'system/ejection',
  'system/descriptors',
  'system/import_nginx',
  'system/udp_flows',
  'discovery/sources/kubernetes',
  'system/looking',
  'system/postgres_keys',
  'system/removed_flows',
  'system/no_client_refused',
  'system/told',
  'system/roles',
  'library/package',
  'control/worker_loss',
];

/** A system test starts the real binary; what is in a folder below belongs to a room. */
export function isSystemTest(name: string): boolean {
  return /^system\/[^/]+$/.test(name);
}

/** `engines`: all that are under test, the best last. */
export function enginesFor(name: string, engines: readonly string[]): readonly string[] {
  return ONE_ENGINE[name] === undefined ? engines : engines.slice(-1);
}

export function longestFirst<T>(all: readonly T[], nameOf: (one: T) => string): T[] {
  const place = (one: T): number => {
    const at = LONG.indexOf(nameOf(one));
    return at < 0 ? LONG.length : at;
  };
  return all.toSorted((a, b) => place(a) - place(b));
}

/**
 * All of both, each in its order, side by side from the beginning to the end: system tests wait
 * more than they work, and the others work while they wait. `seconds`: how long one takes, about.
 */
export function sideBySide<T>(
  some: readonly T[],
  others: readonly T[],
  seconds: (one: T) => number,
): readonly T[] {
  const parts = [some, others].flatMap((all) => {
    const sum = all.reduce((total, one) => total + seconds(one), 0);
    let done = 0;
    return all.map((one) => {
      const part = { one, begins: done / sum };
      done += seconds(one);
      return part;
    });
  });
  return parts.toSorted((a, b) => a.begins - b.begins).map(({ one }) => one);
}

/** How long a file takes beside others, about. */
export function secondsOf(name: string): number {
  if (LONG.includes(name)) return 35;
  return isSystemTest(name) ? 13 : 2;
}

/** What is named here and has gone would be forgotten for ever. */
export function requireScheduled(): void {
  const named = [...ALONE, ...LOADED, ...Object.keys(ONE_ENGINE), ...LONG];
  const gone = named.filter((name) => !existsSync(join(repositoryRoot, `test/${name}.test.ts`)));
  if (gone.length > 0) throw new Error(`scheduled, but no test: ${gone.join(', ')}`);
}
