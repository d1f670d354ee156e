/**
 * Log events of the daemon itself: its life, engine, workers, configuration and admin endpoints.
 */
import { LEVELS, limited } from './event.js';

const { info, warn, error } = LEVELS;

export const DAEMON_EVENTS = {
  starting: info('sluice starts.', ['version', 'file', 'workers']),
  ready: info('All listeners are open.', ['listeners', 'pools', 'backends', 'duration_ms']),
  leaving: info(
    'sluice is about to stop: /ready fails, and clients are accepted for `delay_ms` more.',
    ['signal', 'sessions', 'delay_ms'],
  ),
  stopping: info('sluice stops: it accepts nothing more and lets sessions finish.', [
    'signal',
    'sessions',
    'limit_ms',
  ]),
  stopped: info('sluice has stopped; `sessions` is how many it had to cut.', [
    'sessions',
    'duration_ms',
  ]),
  'start-failed': error(
    'sluice could not start.',
    ['detail'],
    'Correct what the detail names. `sluice check` tests the file, `sluice doctor` the machine.',
  ),
  'internal-error': limited(
    error(
      'Something that must never happen has happened; it ended one session, probe or request.',
      ['worker', 'listener', 'detail'],
      'This is a defect of sluice: please report the line. If the daemon ends with it, systemd ' +
        'starts it again.',
    ),
  ),

  'sockets-taken-back': info(
    'Listening sockets that systemd had kept over a restart or a crash, or that the process before this one has handed over, are in use again.',
    ['count'],
  ),
  'sockets-unused': warn(
    'systemd has passed listening sockets that no listener takes: clients that come there wait.',
    ['detail'],
    'Name them in `activation` of a listener with the same address, or stop their socket unit.',
  ),
  'sockets-not-kept': info(
    'systemd is given no listening socket to keep: clients are refused during a restart.',
    ['detail'],
  ),

  upgrading: info('The program that is installed now is started, to take the place of this one.', [
    'program',
    'by',
    'limit_ms',
  ]),
  upgraded: info('Another process serves, with the same sockets; this one finishes its sessions.', [
    'pid',
    'version',
    'sessions',
  ]),
  'upgrade-failed': error(
    'The new process could not take over, and was ended; this one serves on as before.',
    ['problems'],
    'Nothing has changed for clients. Correct what is named, and upgrade again.',
  ),
  'upgrade-refused': warn(
    'The installed program is another one, but cannot take over now: only the file is read again.',
    ['problems'],
    'Reload again when what is named is over, or restart.',
  ),
  'upgrade-overruled': info('A stop has ended the upgrade: the new process is ended, too.', ['by']),
  'upgrade-bare': warn(
    'Only sockets are taken over from the process before this one.',
    ['detail'],
    'Overrides and members on disk hold.',
  ),
  'upgrade-in-part': warn(
    'A part of what the process before this one knows cannot be read, and is not taken over.',
    ['detail'],
    'What is named begins anew; all else is as it was.',
  ),
  left: info('The last session of a process whose place another one has taken is over.', [
    'pid',
    'sessions',
  ]),

  'engine-chosen': info('The engine is chosen.', ['engine', 'detail']),
  'engine-degraded': warn(
    'A faster engine, or a part of it, is not available here.',
    ['engine', 'detail'],
    '`sluice doctor` says what the faster engine lacks and how to allow it.',
  ),
  'worker-started': info('A worker thread runs in place of one that was lost.', [
    'worker',
    'engine',
  ]),
  'worker-lost': limited(
    error(
      'A worker thread ended; its sessions are cut, and another one is started in its place.',
      ['worker', 'sessions', 'detail'],
      'This is a defect of sluice or a lack of memory: please report the detail.',
    ),
  ),
  'sessions-lost': limited(
    error(
      'Sessions of this listener at this backend ended with their worker thread.',
      ['listener', 'pool', 'backend', 'sessions'],
      'See `worker-lost`. They have no access lines: who their clients were was known to the ' +
        'worker alone. `outcome="worker-lost"` of sluice_sessions_total counts them.',
    ),
  ),
  'worker-start-failed': limited(
    error(
      'No worker thread can be started in place of one that was lost; it is tried again.',
      ['worker', 'failures', 'detail'],
      'Clients of the missing worker wait, and /healthz fails. If the files of sluice or its ' +
        'working directory were moved, restart it; otherwise see its limits of memory and files.',
    ),
  ),
  'worker-silent': limited(
    warn(
      'A worker thread does not answer.',
      ['worker', 'duration_ms'],
      'If it lasts, /healthz fails and systemd may restart the daemon. Is the CPU overloaded?',
    ),
  ),
  'worker-stuck': limited(
    error(
      'A worker thread neither answers nor ends; changes do not wait for it any more.',
      ['worker', 'duration_ms'],
      'Its sessions stand still and its clients go to another worker. Something outside of ' +
        'sluice holds the thread (a debugger, a disk or network file system that does not ' +
        'answer): end that, or restart sluice.',
    ),
  ),
  'low-descriptor-limit': warn(
    'The limit of open files is low: listeners take fewer sessions than they could.',
    ['limit', 'wanted'],
    'Raise LimitNOFILE in the unit (or `ulimit -n`), and restart.',
  ),

  reloading: info('The configuration is read again.', ['file', 'signal', 'by']),
  reloaded: info('The new configuration is in use.', [
    'added',
    'removed',
    'changed',
    'duration_ms',
  ]),
  'reload-failed': error(
    'The new configuration is refused; the old one stays in use.',
    ['file', 'problems'],
    'Correct what the problems name and reload; `sluice check` shows those of the file itself.',
  ),
  'config-warning': warn(
    'The configuration in use has something that is almost always a mistake.',
    ['file', 'problems'],
    'Look at each again; `sluice check` shows the same.',
  ),
  'access-list-changed': info('A file of an access list has changed, and is in use.', [
    'listener',
    'count',
  ]),
  'access-list-kept': warn(
    'A file of an access list has changed and cannot be used: the list stays as it was.',
    ['listener', 'detail'],
    'Correct the line that is named, or the file; it is read again when it changes.',
  ),
  'addresses-refused': warn(
    'Names of backends have other addresses now, and shared memory has no free rows for them.',
    ['problems'],
    'The old addresses stay in use, and it is tried again; change fewer backends at a time.',
  ),
  'restart-needed': warn(
    'Some of the changed keys take effect only after a restart.',
    ['keys'],
    'Restart when it suits; everything else is already in use.',
  ),

  'admin-listening': info('The admin page and metrics are served.', ['address']),
  'admin-failed': limited(
    error(
      'The admin endpoint cannot be opened; traffic is served all the same.',
      ['address', 'errno', 'detail'],
      'Free the address, or choose another one under [admin], and reload: that tries again.',
    ),
  ),
  'follower-cut': limited(
    info(
      'A client that follows events, as the dashboard does, read too slowly and was disconnected.',
      ['detail'],
      'It may come again, and goes on behind the last event that it names.',
    ),
  ),
  'control-listening': info('The control socket is open: `sluice ctl` is served.', ['address']),
  'control-off': info(
    'There is no control socket: there is no folder for it.',
    ['detail'],
    'RuntimeDirectory=sluice in the unit makes one; or set [admin] socket to a path, or to "".',
  ),
  'control-failed': limited(
    error(
      'The control socket cannot be opened; traffic is served all the same.',
      ['address', 'detail'],
      'Correct what the detail names, or choose another path for [admin] socket, and reload.',
    ),
  ),
  'control-degraded': warn(
    'The control socket is open, but not all of what the file asks for can be had.',
    ['address', 'detail'],
    'Correct what the detail names, and restart.',
  ),
  'state-off': info(
    'Overrides would not survive a restart: there is no folder to keep them in.',
    ['detail'],
    'StateDirectory=sluice in the unit makes one; or set [daemon] state_directory to a folder, ' +
      'or to "".',
  ),
  'state-unreadable': error(
    'Overrides of the process before this one cannot be read, or not all of them.',
    ['file', 'problems'],
    'What could be read is in force. `sluice ctl overrides` shows it; set the others again.',
  ),
  'state-unread': error(
    'The file of overrides could not be read: those of the process before are not in force.',
    ['file', 'problems'],
    'Let the daemon read the file, or remove it. It is tried every 30 s and at each change; ' +
      'before that the file is not written to, and a restart loses what is changed.',
  ),
  'state-read': info(
    'The file of overrides is read at last; `count` of those in it come into force.',
    ['file', 'count'],
  ),
  'state-put-aside': info('What was not understood of a file is kept under another name.', [
    'file',
    'detail',
  ]),
  'state-not-written': error(
    'Overrides are in force and could not be written: a restart would lose them.',
    ['file', 'problems'],
    'Do what `problems` asks for: a state_directory that no other daemon has, a folder that the ' +
      'user of this one may write to, room on the disk. It is tried every 30 s.',
  ),
  'state-written': info('Overrides are written again: a restart keeps them.', ['file']),
  'log-lost': limited(
    warn(
      'Log lines were lost, because they were not read in time or the disk was full.',
      ['count'],
      'sluice_log_suppressed_total says of which events. See what reads standard output.',
    ),
  ),
  'stood-still': limited(
    warn(
      'No thread of the process went on for a while; that time counts towards no timeout.',
      ['duration_ms', 'cpu_ms'],
      'With cpu_ms near 0 it was stopped or frozen, its machine paused, or its CPU taken. ' +
        'With cpu_ms near duration_ms it was busy by itself: report it as a defect.',
    ),
  ),
  'signal-ignored': limited(
    info(
      'A signal was ignored: it has no effect here, or sluice is already stopping.',
      ['signal'],
      '`sluice run --help` lists them.',
    ),
  ),
  'end-forced': warn(
    'The process ends by force: something in it did not finish in time.',
    ['detail', 'sessions'],
    'Unless a second signal asked for it: a peer or name server that does not answer holds it up.',
  ),
  'access-lost': limited(
    warn(
      'Access lines were not written, because more came than the limit allows.',
      ['count'],
      'The metrics have every session. Lower [log] access, or see why so many sessions fail.',
    ),
  ),
} as const;
