/** Log events of what carries the traffic: listeners, pools, backends and sessions. */
import { LEVELS, limited } from './event.js';

const { debug, info, warn, error } = LEVELS;

export const TRAFFIC_EVENTS = {
  listening: info('A listener is open.', ['listener', 'protocol', 'address', 'pool']),
  'listener-removed': info(
    'A listener left the file; its sessions run on, up to idle_timeout and max_session_age.',
    ['listener', 'protocol', 'sessions'],
  ),
  'listen-failed': error(
    'A worker thread cannot open a listener (at start: start-failed, at reload: reload-failed).',
    ['listener', 'protocol', 'address', 'errno', 'detail'],
    'EADDRINUSE: find the other program with `ss -lntup`. EACCES: ports below 1024 need ' +
      'CAP_NET_BIND_SERVICE. EADDRNOTAVAIL: the machine has no such address; ' +
      'see `bind_missing`.',
  ),
  'listener-full': limited(
    warn(
      'A listener has as many sessions as it may; TCP clients wait, new UDP flows are shed.',
      ['listener', 'limit', 'detail'],
      'Raise max_sessions of the listener, or the limit of open files if that is what holds.',
    ),
  ),
  'pairs-crowded': warn(
    'More pairs of listener and backend have had sessions than can be counted one by one.',
    ['limit'],
    'Nothing is refused, and no count is lost: sessions of further pairs are counted at their ' +
      'backend, with listener="". Let fewer listeners lead to one pool if you need both labels.',
  ),
  'accept-failed': limited(
    warn(
      'The kernel could not hand over a connection; accepting goes on.',
      ['listener', 'errno'],
      'EMFILE, ENFILE: raise LimitNOFILE or fs.file-max. ENOBUFS, ENOMEM: memory is short.',
    ),
  ),

  'backend-up': info('A backend is up.', ['pool', 'backend', 'cause', 'detail']),
  'backend-down': warn(
    'A backend is down.',
    ['pool', 'backend', 'cause', 'detail', 'sessions'],
    'See the detail and the log of the backend; /health shows what serves instead.',
  ),
  'backend-standby': info(
    'A backend is well, but not in the role that its pool wants: it is on standby.',
    ['pool', 'backend', 'cause', 'detail', 'sessions'],
  ),
  'backend-degraded': limited(
    warn('A backend says that it should get less.', ['pool', 'backend', 'percent', 'detail']),
  ),
  'probe-failed': limited(
    debug('A probe failed.', ['pool', 'backend', 'cause', 'detail', 'duration_ms']),
  ),
  'probe-note': limited(
    warn(
      'A probe succeeded, but something needs care.',
      ['pool', 'backend', 'detail'],
      'Correct what the detail names: a certificate that ends soon, a password that all can read.',
    ),
  ),
  'backend-ejected': warn(
    'A backend is taken out for a while, because it fails in real traffic.',
    ['pool', 'backend', 'cause', 'detail', 'duration_ms', 'in_a_row'],
    'See the log of the backend: sessions fail there, whatever its probes say.',
  ),
  'backend-would-be-ejected': warn(
    'A backend would be taken out now, but this is a dry run.',
    ['pool', 'backend', 'cause', 'detail', 'duration_ms', 'in_a_row'],
    'Set dry_run = false in the outlier section when such lines are right.',
  ),
  'ejection-spared': limited(
    warn(
      'A backend deserves to be taken out, but too few would be left.',
      ['pool', 'backend', 'cause', 'detail'],
      'Most of the pool fails at once: look for a common cause (network, database) first.',
    ),
  ),
  'override-set': info('An operator wants something else than what is configured.', [
    'pool',
    'backend',
    'kind',
    'value',
    'configured',
    'by',
    'because',
    'until',
  ]),
  'override-ended': info('An override has ended: what is configured counts again.', [
    'pool',
    'backend',
    'kind',
    'value',
    'cause',
    'by',
  ]),
  'override-dropped': warn(
    'An override is dropped, because the configuration is newer.',
    ['pool', 'backend', 'kind', 'value', 'cause', 'before', 'configured'],
    'It had replaced `before`, and `configured` is what the file says now: set it again if you ' +
      'still want it.',
  ),
  'backend-empty': info('A backend that an operator drains has no sessions left.', [
    'pool',
    'backend',
    'cause',
  ]),
  'backend-drained': info('A removed backend has no sessions left.', ['pool', 'backend']),
  'backend-returned': info('The ejection of a backend is over: it counts as its probes say.', [
    'pool',
    'backend',
    'detail',
  ]),
  'backend-added': info('A backend joined.', ['pool', 'backend', 'address']),
  'backend-removed': info(
    'A backend left; its TCP sessions may run on for limit_ms, its UDP flows go elsewhere.',
    ['pool', 'backend', 'address', 'sessions', 'limit_ms'],
  ),
  'sessions-closing': info('Sessions are being closed, spread over span_ms.', [
    'pool',
    'backend',
    'sessions',
    'span_ms',
    'cause',
  ]),
  'sessions-killed': info('A command has ended sessions, spread over span_ms.', [
    'by',
    'sessions',
    'span_ms',
    'detail',
  ]),
  'address-changed': info('The name of a backend has another address now.', [
    'name',
    'before',
    'address',
  ]),
  'resolve-failed': limited(
    warn(
      'The name of a backend cannot be resolved; what served before keeps serving.',
      ['pool', 'backend', 'address', 'detail'],
      'See that the name exists and that the resolver answers (/etc/resolv.conf).',
    ),
  ),

  'discovery-changed': info(
    'A source of backends has led to others; added ones may be held back by health.',
    ['pool', 'source', 'added', 'removed', 'backends'],
  ),
  'discovery-failed': warn(
    'A source of backends gives no answer; those that are known go on serving.',
    ['pool', 'source', 'cause', 'detail'],
    '`sluice discover -c FILE` asks it again and says what comes; the detail names the place.',
  ),
  'discovery-empty': warn(
    'A source names no backend at all; those that are known, if any, go on serving.',
    ['pool', 'source'],
    'See what the source should say, and whether its name, prefix or service is the right one. ' +
      'allow_empty = true lets such an answer count.',
  ),
  'discovery-suspicious': warn(
    'An answer of a source takes many backends away; it counts when it has repeated for limit_ms.',
    ['pool', 'source', 'removed', 'backends', 'limit_ms'],
    'If it is wrong, correct the source within that time: nothing has changed yet. ' +
      'max_removed_percent and confirm say what is suspicious, and for how long.',
  ),
  'discovery-contradicted': warn(
    'None of the backends that a source names is well; those that it named before serve on.',
    ['pool', 'source', 'kept'],
    'Correct the source, or see why its backends fail their probes: with the first one that is well ' +
      'the others leave.',
  ),
  'discovery-left-out': warn(
    'A source names what cannot be used; the rest of its answer counts.',
    ['pool', 'source', 'problems'],
    'Correct what the problems name at the source.',
  ),
  'discovery-remark': warn(
    'An answer of a source counts, and something about the source needs a look.',
    ['pool', 'source', 'problems'],
    'See the problems: backends are found, but perhaps later than they could be.',
  ),
  'discovery-recovered': info('A source of backends is believed again.', [
    'pool',
    'source',
    'before',
  ]),
  'discovery-refused': warn(
    'What sources have found cannot be used now; it is tried again.',
    ['problems'],
    'See the problems: most often there are more backends than rows.',
  ),

  'pool-down': error(
    'No backend of a pool can get sessions.',
    ['pool', 'cause', 'detail'],
    'See the lines of its backends and sources above; /health gives the reason for each, and ' +
      '`sluice ctl discovery` what its sources have answered.',
  ),
  'pool-recovered': info('A pool has eligible backends again.', ['pool', 'eligible', 'backends']),
  'several-primaries': warn(
    'More than one backend that gets sessions says that it is the primary: writes go to each.',
    ['pool', 'detail'],
    'See which one is right, and stop or demote the others: sluice cannot fence them.',
  ),
  'one-primary': info(
    'No more than one of the backends that say that they are the primary gets sessions.',
    ['pool'],
  ),
  'source-missing': warn(
    'An address that pools dial from is not on this machine: their other addresses are dialled from, and where there is none, clients are refused (no-source-address).',
    ['address', 'detail'],
    'Give the machine the address, or take it out of `source`.',
  ),
  'source-back': info('An address that pools dial from is on this machine again.', [
    'address',
    'detail',
  ]),
  'source-unfit': warn(
    'No address in `source` of a pool is of the family of this backend: the kernel chooses.',
    ['pool', 'backend', 'address'],
    'Add an address of that family to `source`.',
  ),
  'pool-panic': warn(
    'Too few backends are eligible: all of the pool are used, whatever their health.',
    ['pool', 'eligible', 'backends', 'percent'],
    'Bring backends back; panic_percent says when this happens.',
  ),
  'pool-panic-over': info('Enough backends are eligible again: health counts.', [
    'pool',
    'eligible',
    'backends',
  ]),

  session: info('A session or flow has ended.', [
    'id',
    'protocol',
    'listener',
    'client',
    'local',
    'pool',
    'backend',
    'policy',
    'tried',
    'queue_ms',
    'connect_ms',
    'first_byte_ms',
    'duration_ms',
    'bytes_in',
    'bytes_out',
    'unlogged',
    'left_out',
    'client_rtt_ms',
    'client_retransmits',
    'backend_rtt_ms',
    'backend_retransmits',
    'outcome',
  ]),
} as const;
