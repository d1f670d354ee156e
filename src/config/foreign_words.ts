/**
 * Words of other load balancers and of everyday language, and what they are called here. Users of
 * HAProxy, nginx or Envoy write them by habit.
 */

/** Values of keys that take one of a few words. */
const VALUES: Readonly<Record<string, string>> = {
  // policy
  leastconn: 'least-connections',
  least_conn: 'least-connections',
  'least-conn': 'least-connections',
  least_connections: 'least-connections',
  leastconnections: 'least-connections',
  least_request: 'least-connections',
  roundrobin: 'round-robin',
  round_robin: 'round-robin',
  rr: 'round-robin',
  wrr: 'round-robin',
  weight: 'round-robin',
  'static-rr': 'round-robin',
  source: 'source-hash',
  source_ip: 'source-hash',
  sourceip: 'source-hash',
  iphash: 'source-hash',
  ip_hash: 'source-hash',
  'ip-hash': 'source-hash',
  hash: 'source-hash',
  sticky: 'source-hash',
  ring_hash: 'source-hash',
  maglev: 'source-hash',
  least_time: 'least-latency',
  leastresp: 'least-latency',
  ewma: 'least-latency',
  peak_ewma: 'least-latency',
  'power-of-two': 'p2c',
  power_of_two: 'p2c',
  // probe
  'tcp-check': 'send-expect',
  script: 'send-expect',
  httpchk: 'http',
  'http-check': 'http',
  https: 'http',
  pgsql: 'postgres',
  'pgsql-check': 'postgres',
  postgresql: 'postgres',
  pg: 'postgres',
  'mysql-check': 'mysql',
  mariadb: 'mysql',
  'redis-check': 'redis',
  ssl: 'tls',
  'ssl-hello-chk': 'tls',
  connect: 'tcp',
  off: 'none',
  // role
  master: 'primary',
  leader: 'primary',
  slave: 'replica',
  standby: 'replica',
  // engine
  io_uring: 'uring',
  iouring: 'uring',
  libuv: 'node',
};

/** Keys; one that a table does not have is passed over. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  upstream: ['pools', 'pool'],
  upstreams: ['pools'],
  backend: ['pools', 'backends', 'pool'],
  frontend: ['listeners'],
  frontends: ['listeners'],
  listen: ['listeners', 'bind'],
  server: ['backends', 'address'],
  servers: ['backends'],
  host: ['address'],
  maxconn: ['max_connections', 'max_sessions'],
  max_conns: ['max_connections'],
  balance: ['policy'],
  lb_policy: ['policy'],
  strategy: ['policy'],
  algorithm: ['policy'],
  check: ['health', 'probe'],
  healthcheck: ['health'],
  health_check: ['health'],
  inter: ['interval'],
  fastinter: ['fast_interval'],
  downinter: ['down_interval'],
  slowstart: ['slow_start'],
  send_proxy: ['send_proxy_protocol'],
  proxy_protocol: ['accept_proxy_protocol', 'send_proxy_protocol'],
  accept_proxy: ['accept_proxy_protocol'],
  outlier_detection: ['outlier'],
  loglevel: ['level'],
  threads: ['workers'],
  nbthread: ['workers'],
  worker_processes: ['workers'],
};

/** What `word` is called among `values`; null when it is no such word. */
export function knownValue(word: string, values: readonly string[]): string | null {
  const own = lookUp(VALUES, word);
  return own !== undefined && values.includes(own) ? own : null;
}

/** What the key `word` is called in a table with the keys `known`; null when it is no such word. */
export function knownKey(word: string, known: readonly string[]): string | null {
  return lookUp(KEYS, word)?.find((key) => known.includes(key)) ?? null;
}

function lookUp<T>(table: Readonly<Record<string, T>>, word: string): T | undefined {
  const key = word.toLowerCase();
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
