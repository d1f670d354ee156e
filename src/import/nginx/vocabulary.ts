/** Directives of nginx that need no key of sluice, or have none. */

const ALWAYS = 'sluice always does so';
const SIZES = 'sluice sizes its tables and buffers by itself';
const LOG = 'lines of JSON on standard output, which the journal of the service manager keeps';
const TLS = 'sluice neither terminates nor originates TLS';
const SERVICE = 'the service manager does this: systemd/sluice.service';

/** What sluice does whether it is asked to or not: "off" changes nothing here. */
export const ALWAYS_ON: ReadonlySet<string> = new Set([
  'tcp_nodelay',
  'proxy_socket_keepalive',
  'proxy_half_close',
]);

export const IDLE: Readonly<Record<string, string>> = {
  zone: 'all workers share what they know of backends',
  preread_timeout: 'no server that is translated waits for a hello',
  proxy_protocol_timeout: 'no listener takes a PROXY header',
  volatile: 'the hello of each client is read',
  state: 'what an operator changes is kept without it',
  tcp_nodelay: ALWAYS,
  proxy_socket_keepalive: 'keepalive is on',
  proxy_half_close: 'half-closed sessions go on in both directions',
  proxy_buffer_size: SIZES,
  preread_buffer_size: SIZES,
  variables_hash_bucket_size: SIZES,
  variables_hash_max_size: SIZES,
  map_hash_bucket_size: SIZES,
  map_hash_max_size: SIZES,
  server_names_hash_bucket_size: SIZES,
  limit_conn_log_level: 'every refusal has a reason in metrics',
  log_format: LOG,
  open_log_file_cache: LOG,
  load_module: 'sluice has no modules',
  pcre_jit: SIZES,
  worker_cpu_affinity: SIZES,
  worker_aio_requests: SIZES,
  worker_processes: 'one worker per core is the default',
  events: 'sluice chooses its engine',
  use: 'sluice chooses its engine',
  multi_accept: 'sluice chooses its engine',
  accept_mutex: 'sluice chooses its engine',
};

export const CHANGED: Readonly<Record<string, string>> = {
  error_log: LOG,
  user: SERVICE,
  pid: SERVICE,
  daemon: SERVICE,
  master_process: SERVICE,
  worker_rlimit_nofile: `${SERVICE} (LimitNOFILE)`,
  worker_connections: 'max_sessions of a listener; 0 is what the limit of open files allows',
  worker_shutdown_timeout: 'shutdown_timeout of [daemon]',
  resolver: "names are looked up every 10 s with the system's resolver",
  resolver_timeout: "names are looked up every 10 s with the system's resolver",
};

export const DROPPED: Readonly<Record<string, string>> = {
  ssl_preread: 'no route uses the server name of the hello',
  set_real_ip_from: 'no listener takes a PROXY header',
  limit_conn_zone: 'no limit uses it',
  limit_conn_dry_run: 'there is no limit that it could apply to',
  proxy_upload_rate: 'sluice does not limit the rate of bytes',
  proxy_download_rate: 'sluice does not limit the rate of bytes',
  proxy_requests: 'a flow ends after udp_responses replies, or by idle_timeout',
  proxy_ssl: TLS,
  ssl_certificate: TLS,
  ssl_certificate_key: TLS,
  ssl_protocols: TLS,
  ssl_ciphers: TLS,
  ssl_session_cache: TLS,
  ssl_session_timeout: TLS,
  return: 'sluice does not answer clients itself',
  set: 'sluice has no variables',
  split_clients: 'weights share the sessions out, not values of a variable',
  geo: 'sluice has no variables',
  js_include: 'sluice runs no scripts',
  js_import: 'sluice runs no scripts',
  js_preread: 'sluice runs no scripts',
  js_filter: 'sluice runs no scripts',
  js_access: 'sluice runs no scripts',
};
