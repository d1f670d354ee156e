/** What the kernel allows this process: read from /proc, null where there is none. */
import { readFileSync } from 'node:fs';
import type { PortRange } from '../core/port_range.js';

export interface ResourceLimit {
  /** What holds now; of RLIMIT_NOFILE Node.js raises it to `hard` when it starts. */
  readonly soft: number;
  readonly hard: number;
}

/** RLIMIT_NOFILE: how many descriptors may be open. */
export function descriptorLimit(): ResourceLimit | null {
  const text = readText('/proc/self/limits');
  return text === null ? null : parseDescriptorLimit(text);
}

/** RLIMIT_MEMLOCK, in bytes. */
export function lockedMemoryLimit(): ResourceLimit | null {
  const text = readText('/proc/self/limits');
  return text === null ? null : parseLockedMemoryLimit(text);
}

/** RLIMIT_AS, in bytes. */
export function addressSpaceLimit(): ResourceLimit | null {
  const text = readText('/proc/self/limits');
  return text === null ? null : parseAddressSpaceLimit(text);
}

/** net.core.somaxconn: no listening socket queues more connections than this, listen(2). */
export function acceptBacklogLimit(): number | null {
  const text = readText('/proc/sys/net/core/somaxconn');
  return text === null ? null : parseNumber(text);
}

export function ephemeralPortRange(): PortRange | null {
  const text = readText('/proc/sys/net/ipv4/ip_local_port_range');
  return text === null ? null : parsePortRange(text);
}

/** From the text of /proc/self/limits (proc(5)); "unlimited" becomes Infinity. */
export function parseDescriptorLimit(text: string): ResourceLimit | null {
  return toLimit(/^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(text));
}

/** From the same text, in bytes. */
export function parseLockedMemoryLimit(text: string): ResourceLimit | null {
  return toLimit(/^Max locked memory\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(text));
}

/** From the same text, in bytes. */
export function parseAddressSpaceLimit(text: string): ResourceLimit | null {
  return toLimit(/^Max address space\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(text));
}

/** From the text of ip_local_port_range: two numbers. */
export function parsePortRange(text: string): PortRange | null {
  const found = /^(\d+)\s+(\d+)\s*$/.exec(text);
  return found ? { first: Number(found[1]), last: Number(found[2]) } : null;
}

/** From a text that is one number. */
export function parseNumber(text: string): number | null {
  return /^\d+\s*$/.test(text) ? Number(text) : null;
}

function toLimit(found: RegExpExecArray | null): ResourceLimit | null {
  return found && { soft: toNumber(found[1]), hard: toNumber(found[2]) };
}

function toNumber(text: string | undefined): number {
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
