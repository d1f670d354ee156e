/**
 * The types of the options know every key of the schema and no other, and the types of adapters are
 * those that their libraries ask for. What is wrong here does not compile.
 */
import { Agent } from 'node:http';
import type { RedisOptions } from 'ioredis';
import t from 'tap';
import type { Pool as UndiciPool } from 'undici';
import type { BACKEND } from '../../src/config/schema/backend.js';
import type { DISCOVERY } from '../../src/config/schema/discovery.js';
import type { HASH } from '../../src/config/schema/hash.js';
import type { HEALTH } from '../../src/config/schema/health.js';
import type { OUTLIER } from '../../src/config/schema/outlier.js';
import type { POOL } from '../../src/config/schema/pool.js';
import type { Connects } from '../../src/library/adapter_balancer.js';
import { httpAgent } from '../../src/library/http.js';
import { ioredisConnector } from '../../src/library/ioredis.js';
import type {
  BackendOptions,
  BalancerOptions,
  HashOptions,
  HealthOptions,
  OutlierOptions,
  SourceOptions,
} from '../../src/library/options.js';
import { undiciConnector } from '../../src/library/undici.js';

type Camel<Key> = Key extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail> & string>}`
  : Key;

/** Keys that only one of both has. */
type Differing<Fields, Options> =
  | Exclude<Camel<keyof Fields>, keyof Options>
  | Exclude<keyof Options, Camel<keyof Fields>>;

/** Only a proxy can follow them. */
type Foreign = 'sendProxyProtocol' | 'source' | 'udpResponses' | 'rebalancePercent';
/** The table's name in the file, and the short form of two keys. */
type Own = 'name' | 'queue';

t.test('options and schema have the same keys', async (t) => {
  const pool: Record<
    Exclude<Differing<typeof POOL.fields, BalancerOptions>, Foreign | Own>,
    never
  > = {};
  const backend: Record<
    Exclude<Differing<typeof BACKEND.fields, BackendOptions>, 'admin'>,
    never
  > = {};
  const health: Record<Differing<typeof HEALTH.fields, HealthOptions>, never> = {};
  const hash: Record<Differing<typeof HASH.fields, HashOptions>, never> = {};
  const outlier: Record<Differing<typeof OUTLIER.fields, OutlierOptions>, never> = {};
  const discovery: Record<Differing<typeof DISCOVERY.fields, SourceOptions>, never> = {};
  t.same([pool, backend, health, hash, outlier, discovery], [{}, {}, {}, {}, {}, {}]);
});

t.test('each library takes what its adapter gives', async (t) => {
  const balancer: Connects = { connect: () => Promise.reject(new Error('no backend')) };
  const connect: NonNullable<UndiciPool.Options['connect']> = undiciConnector(balancer);
  const connector: NonNullable<RedisOptions['Connector']> = ioredisConnector(balancer);
  t.type(connect, 'function');
  t.type(connector, 'function');
  t.ok(httpAgent(balancer) instanceof Agent);
});
