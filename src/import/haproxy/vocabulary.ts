/**
 * Words of HAProxy that need no key of sluice: because they only concern HTTP, because sluice
 * always does it, or because it is the work of another program. What is in no list is dropped.
 */

const HTTP = 'it concerns HTTP, and has no effect in mode tcp';
const ALWAYS = 'sluice always does so';
const LABEL = 'it is only a name';
const TUNING = 'it tunes HAProxy itself; sluice sizes its threads and buffers by itself';

/** What sluice does whether it is asked to or not: `no option` with them changes nothing here. */
export const ALWAYS_ON: ReadonlySet<string> = new Set([
  'option tcpka',
  'option clitcpka',
  'option srvtcpka',
]);

/** Without effect on what is translated. */
export const IDLE_SETTINGS: Readonly<Record<string, string>> = {
  'mode tcp': 'sluice relays TCP',
  enabled: 'it is the default',
  id: LABEL,
  description: LABEL,
  guid: LABEL,
  'option tcpka': ALWAYS,
  'option clitcpka': ALWAYS,
  'option srvtcpka': ALWAYS,
  'option redispatch': 'a failed dial always goes to another backend',
  'option log-health-checks': 'every change of health is logged',
  'option socket-stats': 'metrics are per listener',
  'option contstats': 'counters are always current',
  'option logasap': 'it only concerns when a log line is written',
  'option log-separate-errors': 'each line has its own level',
  'option tcp-smart-accept': TUNING,
  'option tcp-smart-connect': TUNING,
  'option splice-auto': TUNING,
  'option splice-request': TUNING,
  'option splice-response': TUNING,
  'option abortonclose': 'a client that leaves is always taken out of the queue',
  'bind-process': TUNING,
  'timeout http-request': HTTP,
  'timeout http-keep-alive': HTTP,
  'timeout tarpit': HTTP,
  'http-reuse': HTTP,
  'http-request': HTTP,
  'http-response': HTTP,
  'http-after-response': HTTP,
  'http-error': HTTP,
  errorfile: HTTP,
  errorfiles: HTTP,
  errorloc: HTTP,
  errorloc302: HTTP,
  errorloc303: HTTP,
  cookie: HTTP,
  compression: HTTP,
  redirect: HTTP,
  'option httplog': HTTP,
  'option http-server-close': HTTP,
  'option http-keep-alive': HTTP,
  'option httpclose': HTTP,
  'option forwardfor': HTTP,
  'option originalto': HTTP,
  'option http-ignore-probes': HTTP,
  'option http-use-htx': HTTP,
  'option http-pretend-keepalive': HTTP,
  'option http-buffer-request': HTTP,
  'option http-use-proxy-header': HTTP,
  'option http-no-delay': HTTP,
  'option accept-invalid-http-request': HTTP,
  'option accept-invalid-http-response': HTTP,
  'option h1-case-adjust-bogus-client': HTTP,
  'option h1-case-adjust-bogus-server': HTTP,
  'option prefer-last-server': HTTP,
  'option checkcache': HTTP,
};

const BYTES = 'sluice does not look into the bytes';

/** Without a counterpart. */
export const DROPPED_SETTINGS: Readonly<Record<string, string>> = {
  'timeout client-fin': 'half-closed sessions have the same timeout as all others',
  'timeout client-hs': 'TLS ends at the backend, which limits the handshake',
  'timeout server-fin': 'half-closed sessions have the same timeout as all others',
  'unique-id-format': 'sluice gives sessions its own numbers',
  'unique-id-header': BYTES,
  'option nolinger': 'sluice passes on how each side ends the session',
  'option external-check': 'sluice starts no programs',
  'external-check': 'sluice starts no programs',
  'option transparent': 'sluice dials configured backends only',
  dispatch: 'sluice dials configured backends only',
  transparent: 'sluice dials configured backends only',
  'option persist': BYTES,
  'option independent-streams': 'bytes in either direction count for both sides',
  'option spop-check': 'there is no such probe',
  'monitor-net': 'use /ready of the admin address',
  'monitor-uri': 'use /ready of the admin address',
  monitor: 'use /ready of the admin address',
  filter: BYTES,
  declare: BYTES,
  capture: BYTES,
  'tcp-response': BYTES,
  'use-server': 'a policy chooses the backend',
  'force-persist': BYTES,
  'ignore-persist': BYTES,
  'email-alert': 'make alerts from the metrics',
  'load-server-state-from-file': 'a reload forgets nothing',
  'server-state-file-name': 'a reload forgets nothing',
  'clitcpka-cnt': "keepalive uses the kernel's times",
  'clitcpka-idle': "keepalive uses the kernel's times",
  'clitcpka-intvl': "keepalive uses the kernel's times",
  'srvtcpka-cnt': "keepalive uses the kernel's times",
  'srvtcpka-idle': "keepalive uses the kernel's times",
  'srvtcpka-intvl': "keepalive uses the kernel's times",
};

/** What of a backend stands in a frontend, and the other way round: HAProxy passes over it too. */
export const BACKEND_SETTINGS = new Set([
  'balance',
  'hash-type',
  'hash-balance-factor',
  'retries',
  'fullconn',
  'source',
  'timeout connect',
  'timeout server',
  'timeout queue',
  'timeout check',
  'timeout tunnel',
  'option httpchk',
  'option tcp-check',
  'option pgsql-check',
  'option redis-check',
  'option mysql-check',
  'option ssl-hello-chk',
  'option smtpchk',
  'option ldap-check',
  'option allbackups',
  'stick-table',
  'http-check',
  'tcp-check',
  'default-server',
  'server',
  'server-template',
  'stick',
]);
export const FRONTEND_SETTINGS = new Set([
  'bind',
  'maxconn',
  'backlog',
  'default_backend',
  'use_backend',
  'timeout client',
  'rate-limit',
]);

export const SERVICE_MANAGER =
  'the service manager does this; systemd/sluice.service has the user and the sandbox';

/** Of `global`: work of the service manager. */
export const OF_THE_SERVICE = new Set([
  'user',
  'group',
  'uid',
  'gid',
  'chroot',
  'daemon',
  'pidfile',
  'master-worker',
  'ulimit-n',
  'set-dumpable',
]);

export const IDLE_GLOBALS: Readonly<Record<string, string>> = {
  node: LABEL,
  description: LABEL,
  localpeer: LABEL,
  quiet: 'sluice has no such output',
  'zero-warning': '`sluice check` distinguishes errors and warnings',
  'stats timeout': 'the control socket has its own times',
  'ca-base': 'sluice does not terminate TLS',
  'crt-base': 'sluice does not terminate TLS',
  'ssl-default-bind-ciphers': 'sluice does not terminate TLS',
  'ssl-default-bind-ciphersuites': 'sluice does not terminate TLS',
  'ssl-default-bind-options': 'sluice does not terminate TLS',
  'ssl-default-bind-curves': 'sluice does not terminate TLS',
  'ssl-default-server-ciphers': 'sluice does not originate TLS',
  'ssl-default-server-ciphersuites': 'sluice does not originate TLS',
  'ssl-default-server-options': 'sluice does not originate TLS',
  'ssl-dh-param-file': 'sluice does not terminate TLS',
  'ssl-server-verify': 'sluice does not originate TLS',
  'max-spread-checks': 'probes are always spread',
  noepoll: TUNING,
  nopoll: TUNING,
  nosplice: TUNING,
  noreuseport: TUNING,
  nogetaddrinfo: TUNING,
  'cpu-map': TUNING,
  'thread-groups': TUNING,
  nbproc: TUNING,
  'busy-polling': TUNING,
  'insecure-fork-wanted': 'sluice starts no programs',
  'external-check': 'sluice starts no programs',
};

/** A prefix of names that tune HAProxy itself. */
export const TUNING_PREFIX = 'tune.';
export const TUNING_WHY = TUNING;
