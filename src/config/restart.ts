/** Settings that are read at start only, and why; a reload that changes one says so. */
import { formatAddress } from '../core/endpoint.js';
import type { Spec } from '../core/spec.js';

export interface RestartNeed {
  /** As the file calls it, `daemon.workers`. */
  readonly setting: string;
  /** For the operator: what goes on until when. */
  readonly sentence: string;
}

interface StartSetting {
  readonly setting: string;
  readonly why: string;
  readonly read: (spec: Spec) => string;
}

export const START_SETTINGS: readonly StartSetting[] = [
  {
    setting: 'daemon.engine',
    why: 'sessions cannot move from one engine to another',
    read: ({ daemon }) => daemon.engine,
  },
  {
    setting: 'daemon.workers',
    why: 'shared memory is laid out for the threads that there are',
    read: ({ daemon }) => String(daemon.workers),
  },
  {
    setting: 'daemon.state_directory',
    why: 'what is kept in one folder must not be in two',
    read: ({ daemon }) => daemon.stateDirectory ?? 'none',
  },
  {
    setting: 'daemon.keep_sockets',
    why: 'each socket is stored with systemd when it is opened',
    read: ({ daemon }) => String(daemon.keepSockets),
  },
  {
    setting: 'admin.http',
    why: 'a monitor that watches a reload must not lose its connection',
    read: ({ admin }) => (admin.http === null ? 'off' : formatAddress(admin.http)),
  },
  {
    setting: 'admin.socket',
    why: 'the command that asks for the reload is connected to it',
    read: ({ admin }) => admin.socket ?? 'off',
  },
  {
    setting: 'admin.socket_group',
    why: 'the group of the socket is set when it is opened',
    read: ({ admin }) => admin.socketGroup,
  },
  {
    setting: 'log.format',
    why: 'a log that changes its form halfway cannot be read by machines',
    read: ({ log }) => log.format,
  },
];

export function restartNeeds(before: Spec, after: Spec): readonly RestartNeed[] {
  return START_SETTINGS.flatMap(({ setting, why, read }) => {
    const was = read(before);
    const wanted = read(after);
    if (was === wanted) return [];
    const sentence = `${setting} stays "${was}" until a restart makes it "${wanted}": ${why}`;
    return [{ setting, sentence }];
  });
}
