/** Processes that take each other's place, and what is left of the one before. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What `sluice ctl upgrade --json` answers. */
export interface Upgraded {
  readonly pid: number;
  readonly version: string;
  readonly sessions: number;
}

/** TCP_LISTEN of <net/tcp_states.h>, and __SO_ACCEPTCON of <linux/net.h>. */
const LISTENS = { tcp: '0A', unix: '00010000' } as const;

/** The sockets of `pid` at which clients arrive: streams that listen, datagrams without a peer. */
export function doorsOf(pid: number): readonly string[] {
  const doors = new Map<string, string>();
  for (const table of ['tcp', 'tcp6', 'udp', 'udp6']) {
    for (const [, local, remote, state, , , , , , inode] of rows(pid, table)) {
      const isDoor = table.startsWith('tcp') ? state === LISTENS.tcp : /:0000$/.test(remote ?? '');
      if (isDoor) doors.set(`socket:[${inode}]`, `${table} ${local}`);
    }
  }
  for (const [, , , flags, , , inode, path] of rows(pid, 'unix')) {
    if (flags === LISTENS.unix) doors.set(`socket:[${inode}]`, `unix ${path}`);
  }
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => doors.get(linkOf(pid, fd)) ?? []);
}

function rows(pid: number, table: string): readonly (readonly string[])[] {
  const text = readFileSync(`/proc/${pid}/net/${table}`, 'utf8');
  return text.split('\n').map((row) => row.trim().split(/\s+/));
}

/** '' where it was closed meanwhile. */
function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}

/** What a test has a process do in place of its work that shall take another one's place. */
export type Flaw = '' | 'ends' | 'hangs' | 'ends late' | 'is stopped late' | 'waits';

/** To be run before the daemon; the flaw is the text of `file`, where it exists. */
export function flawedBy(file: string): string {
  return `
    const { existsSync, readFileSync } = await import('node:fs');
    const file = ${JSON.stringify(file)};
    const how = () => existsSync(file) ? readFileSync(file, 'utf8') : '';
    const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    if (process.env.SLUICE_HANDOVER !== undefined) {
      if (how() === 'ends') process.exit(7);
      if (how() === 'hangs') sleep();
      while (how() === 'waits') sleep(20);
      // A real SIGTERM would be heard some time later, perhaps when it serves.
      const late = {
        'ends late': () => process.kill(process.pid, 'SIGKILL'),
        'is stopped late': () => process.emit('SIGTERM', 'SIGTERM'),
      }[how()];
      if (late !== undefined) {
        const { parse } = JSON;
        JSON.parse = (text, ...rest) => {
          if (String(text).startsWith('{"kind":"go"')) late();
          return parse(text, ...rest);
        };
      }
    }
  `;
}
