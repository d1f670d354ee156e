/** `[daemon]`: the process as a whole. */
import { MAX_WORKERS } from '../../core/limits.js';
import type { DaemonSpec } from '../../core/spec.js';
import { fault, fits, type ReadValue } from '../reading.js';
import { choice, duration, flag, integer, mixed, text } from './kinds.js';
import { table, type ValueOf } from './node.js';

export const DAEMON = table('The process as a whole.', {
  engine: choice(['auto', 'uring', 'epoll', 'node'], {
    default: 'auto',
    doc: 'What moves the bytes. "auto" takes the first of them that works on this machine; a named engine that does not work refuses to start.',
  }),
  workers: mixed(
    { default: 'auto', doc: 'Data-plane threads. "auto" is one per CPU core.' },
    `"auto" or an integer from 1 to ${MAX_WORKERS}`,
    { anyOf: [{ const: 'auto' }, { type: 'integer', minimum: 1, maximum: MAX_WORKERS }] },
    (raw): ReadValue<'auto' | number> => {
      if (raw === 'auto') return fits(raw);
      if (typeof raw !== 'number' || !Number.isInteger(raw))
        return fault('wrong-type', 'wrong type');
      if (raw < 1) return fault('out-of-range', 'too small');
      return raw > MAX_WORKERS ? fault('out-of-range', 'too large') : fits(raw);
    },
  ),
  shutdown_timeout: duration({
    default: '30s',
    min: '10ms',
    max: '7d',
    zero: 'no time at all',
    doc: 'After SIGTERM, SIGINT or SIGQUIT: how long sessions may run on before they are closed.',
  }),
  leave_delay: duration({
    default: '0s',
    min: '10ms',
    max: '1h',
    zero: 'accepting ends at once',
    doc: 'At SIGTERM, SIGINT or SIGQUIT: how long clients are still accepted while /ready is 503, so that whatever sends them here (keepalived, BIRD, Kubernetes, another balancer) sends them elsewhere before sluice stops listening. Then accepting ends, and `shutdown_timeout` begins. A signal meanwhile ends the delay.',
  }),
  state_directory: text(
    {
      default: 'auto',
      doc: 'The folder where overrides (`sluice ctl drain` and its like) and what sources of backends said last are kept over a restart. "auto" is $STATE_DIRECTORY (which systemd sets), else /var/lib/sluice where the daemon may write, else none. "" is none.',
    },
    '"auto", an absolute path, or "" for none',
    (raw): ReadValue<string | null> => {
      if (raw === '') return fits(null);
      if (raw === 'auto' || raw.startsWith('/')) return fits(raw);
      return fault('malformed', 'not an absolute path');
    },
  ),
  keep_sockets: flag({
    default: true,
    doc: 'Listening sockets live in the descriptor store of systemd over a restart and a crash, so that no client is refused meanwhile (FileDescriptorStoreMax= in the unit). false: they close with the process.',
  }),
  reload_upgrades: flag({
    default: false,
    doc: 'true: at SIGHUP and SIGUSR2 (`systemctl reload`) sluice looks whether the program that is installed is another one than the one that runs. If it is, it upgrades as `sluice ctl upgrade` does; if that fails, or nothing was installed, the file alone is read again.',
  }),
  probes_per_second: integer({
    default: 0,
    min: 0,
    max: 100_000,
    doc: 'How many probes start per second, at most, over all pools. Where intervals ask for more, they all stretch alike, and /health says how far; a backend that is between two verdicts goes first. 0 is no limit.',
  }),
});

export function daemonSpec(value: ValueOf<typeof DAEMON>): DaemonSpec {
  return {
    engine: value.engine,
    workers: value.workers,
    shutdownTimeoutMs: value.shutdown_timeout,
    leaveDelayMs: value.leave_delay,
    stateDirectory: value.state_directory,
    keepSockets: value.keep_sockets,
    reloadUpgrades: value.reload_upgrades,
    probesPerSecond: value.probes_per_second,
  };
}
