/**
 * From options to what the daemon makes of `[pools.NAME]`: the same schema reads them, the same
 * checks look at them, and what is wrong is said in the same sentences, in camelCase.
 */

import { type Finding, textOf } from '../config/checks/check.js';
import { showAt } from '../config/explain.js';
import { examine } from '../config/load.js';
import { formatPath, type Path } from '../config/path.js';
import { describe } from '../config/schema/lookup.js';
import { NAME_PATTERN } from '../config/schema/node.js';
import { poolSpec } from '../config/schema/pool.js';
import { ROOT } from '../config/schema/root.js';
import type { TomlTree } from '../config/toml.js';
import { present } from '../core/assert.js';
import type { PoolSpec } from '../core/spec.js';
import { isRecord } from '../core/unknown.js';
import { OptionsError } from './errors.js';
import { known, misfit } from './misfit.js';
import type { BalancerOptions, Duration, QueueOptions, RegistryOptions } from './options.js';
import type { Registry } from './registry_source.js';
import type { FollowedRegistry } from './sources.js';

/** How a balancer without a name is called. */
const DEFAULT_NAME = 'balancer';

const QUEUE: ReadonlySet<string> = new Set<keyof QueueOptions>(['size', 'timeout']);

/** Deeper than every key: an object of the application may lead back to itself. */
const MAX_DEPTH = 8;

/** Keys of a pool that only a proxy can follow. */
const FOREIGN = ['send_proxy_protocol', 'source', 'udp_responses', 'rebalance_percent'];

export interface ReadOptions {
  readonly spec: PoolSpec;
  /** Sources that are objects of the application. */
  readonly registries: readonly FollowedRegistry[];
}

export function readOptions(options: BalancerOptions): ReadOptions {
  if (!isRecord(options)) throw misfit('options', 'wrong type', 'an object', options);
  const { name = DEFAULT_NAME, discovery, ...pool } = options;
  if (typeof name !== 'string' || !NAME_PATTERN.test(name)) {
    const rule = 'a name of 1 to 64 letters, digits, "_", "-" and "."';
    throw misfit('name', 'not a usable name', rule, name);
  }
  const at = ['pools', name];
  const strange: string[] = [];
  const given = Array.isArray(discovery) ? discovery : discovery === undefined ? [] : [discovery];
  const told = given.map((one: unknown, index) => registryOf(one, name, index));
  const tables = given.map((one, index) => told[index]?.table(index) ?? one);
  const words = { ...withQueue(pool, strange), discovery: tables };
  const tree = { pools: { [name]: treeOf(words, at, strange) } };
  const { config, findings } = examine(tree);
  const issues = [...strange, ...findings.map((finding) => issueOf(finding, tree))];
  if (issues.length > 0) throw new OptionsError(issues);
  const spec = poolSpec(name, present(config.pools[name], 'the pool that was read is there'));
  const registries = spec.discovery.flatMap(({ rules, maxConnections }, index) => {
    const one = told[index];
    if (one === undefined || one === null) return [];
    return [{ registry: one.registry, service: one.service, rules, maxConnections }];
  });
  const sources = spec.discovery.filter((_, index) => told[index] === null);
  return { spec: { ...spec, discovery: sources }, registries };
}

interface ToldRegistry {
  readonly registry: Registry;
  readonly service: string;
  /** What the file would say of it: the schema reads how far it is believed. */
  readonly table: (index: number) => object;
}

/** null: a source that the file knows as well. */
function registryOf(one: unknown, name: string, index: number): ToldRegistry | null {
  if (typeof one !== 'object' || one === null) return null;
  if ('subscribe' in one || 'getInstances' in one) {
    return { registry: mustBeRegistry(one, index), service: name, table: standIn({}) };
  }
  if (!('registry' in one)) return null;
  const { registry, service = name, ...rules } = one as RegistryOptions;
  const misplaced = ['kind', 'path'].filter((key) => key in rules);
  const issues = misplaced.map((key) => {
    return `discovery[${index}].${key}: it goes with no registry (expected only one of both)`;
  });
  if (typeof service !== 'string') {
    issues.push(
      `discovery[${index}].service: wrong type (expected a string; got ${typeof service})`,
    );
  }
  if (issues.length > 0) throw new OptionsError(issues);
  return { registry: mustBeRegistry(registry, index), service, table: standIn(rules) };
}

function mustBeRegistry(one: unknown, index: number): Registry {
  const has = (...methods: readonly string[]): boolean =>
    methods.every(
      (method) => typeof (one as Record<string, unknown> | null)?.[method] === 'function',
    );
  if (has('subscribe') || has('getInstances', 'on', 'off')) return one as Registry;
  const expected =
    'an object with subscribe(onSnapshot), or an EventEmitter with getInstances(name)';
  throw new OptionsError([`discovery[${index}].registry: no registry (expected ${expected})`]);
}

function standIn(rules: object): (index: number) => object {
  return (index) => ({ kind: 'file', path: `/registry-${index}`, ...rules });
}

/** `queue: { size, timeout }` is the short form of two keys. */
function withQueue(options: BalancerOptions, strange: string[]): Record<string, unknown> {
  const { queue, ...rest } = options;
  const keys: { queueSize?: number; queueTimeout?: Duration } = {};
  try {
    const { size, timeout } = known(queue, QUEUE, 'queue') ?? {};
    if (size !== undefined) keys.queueSize = size;
    if (timeout !== undefined) keys.queueTimeout = timeout;
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    strange.push(...error.issues);
  }
  return { ...rest, ...keys };
}

/**
 * `value` in the file's words: keys in snake_case, numbers with their unit, addresses in tables.
 */
function treeOf(value: unknown, path: Path, strange: string[]): unknown {
  if (path.length > MAX_DEPTH) {
    strange.push(`${formatPath(path.slice(2))}: deeper than any option is`);
    return null;
  }
  if (Array.isArray(value)) {
    return value.map((element, index) => {
      const isAddress = path.at(-1) === 'backends' && typeof element === 'string';
      const one = isAddress ? { address: element } : element;
      return treeOf(one, [...path, index], strange);
    });
  }
  if (typeof value === 'number') return quantityOf(value, path);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(
    entries.flatMap(([key, one]) => {
      const word = snake(key);
      if (key.includes('_') || (path.length === 2 && FOREIGN.includes(word))) {
        strange.push(strangeKey(key, [...path.slice(2), key]));
        return [];
      }
      return [[word, treeOf(one, [...path, word], strange)]];
    }),
  );
}

function strangeKey(key: string, path: Path): string {
  const isForeign = FOREIGN.includes(snake(key));
  const meant = camel(key);
  const known = meant === key ? 'an option of the balancer' : meant;
  const expected = isForeign ? IN_THE_FILE : known;
  const problem = isForeign ? 'only a proxy can follow it' : 'unknown key';
  return `${formatPath(path)}: ${problem} (expected ${expected}; got "${key}")`;
}

/**
 * A bare number where the file wants a duration is in milliseconds, where it wants a size in bytes;
 * what came out of a division is rounded.
 */
function quantityOf(value: number, path: Path): unknown {
  const { node } = describe(ROOT, path);
  if (node.kind !== 'leaf' || node.quantity === null) return value;
  const isUsable = Number.isFinite(value) && value >= 0;
  return isUsable ? `${Math.round(value)}${UNITS[node.quantity]}` : value;
}

const UNITS = { duration: 'ms', size: 'B' } as const;

function issueOf({ code, path, problem, expected, got }: Finding, tree: TomlTree): string {
  const key = camel(formatPath(path.slice(2))) || 'options';
  const shown = got === undefined ? showAt(ROOT, tree, path) : textOf(got);
  const told = code === 'unknown-key' ? camel(shown) : shown;
  const meant = ofOptions(textOf(expected), formatPath(path.slice(0, 2)));
  return `${key}: ${camel(problem)} (expected ${camel(meant)}; got ${told})`;
}

/** What the schema of the file says of its tables, in words of options; `pool`: the one read. */
function ofOptions(expected: string, pool: string): string {
  return expected
    .replace(/it under \[+pools\.NAME\]+/, 'it beside backends')
    .replace(/it under \[+pools\.NAME\.([\w.]+)\]+/, 'it under $1')
    .replace(/it under \[+[\w.]+\]+/, IN_THE_FILE)
    .replace(`another key of ${pool}.`, 'another key of ')
    .replace(`another key of ${pool}`, 'another option');
}

const IN_THE_FILE = 'it in the file of the daemon';

function snake(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Every `snake_case` word of `text` in camelCase. */
function camel(text: string): string {
  return text.replace(/([a-z0-9])_([a-z])/g, (_, before: string, after: string) => {
    return `${before}${after.toUpperCase()}`;
  });
}
