/**
 * What a registry of the application says, read as what comes from outside: whatever it holds, the
 * result is an answer, and nothing is thrown at the code that reported it.
 */

import { MAX_CONNECTIONS } from '../config/schema/backend.js';
import { readAddress } from '../core/address_text.js';
import { BACKEND_NAME_PATTERN } from '../core/identity.js';
import { isRecord } from '../core/unknown.js';
import { inBrackets, shown } from '../discovery/answers.js';
import {
  type Member,
  membersFound,
  plainMember,
  type SourceAnswer,
  sourceFailed,
} from '../discovery/source.js';
import { messageOf } from './words.js';

/** One that a registry names: an address, or where it is in parts. */
export interface Instance {
  readonly address?: string;
  readonly host?: string;
  readonly port?: number;
  readonly name?: string;
  readonly weight?: number;
  readonly maxConnections?: number;
  readonly backup?: boolean;
}

export type Instances = readonly (string | Instance)[];

const MAX_WEIGHT = 1_000;

export function answerOf(all: unknown): SourceAnswer {
  try {
    if (!Array.isArray(all)) return sourceFailed('malformed', 'the registry gave no list');
    const members: Member[] = [];
    const leftOut: string[] = [];
    for (const one of all as readonly unknown[]) {
      const member = memberOf(one);
      if (typeof member === 'string') leftOut.push(member);
      else members.push(member);
    }
    return membersFound(members, 0, leftOut);
  } catch (error) {
    return sourceFailed(
      'malformed',
      `what the registry gave cannot be read: ${shown(messageOf(error))}`,
    );
  }
}

/** A clause where it cannot be used. */
function memberOf(instance: unknown): Member | string {
  if (typeof instance === 'string') return placed(instance, {});
  if (!isRecord(instance)) return `${textOf(instance)}: neither an address nor an object`;
  const { address, host, port } = instance;
  if (typeof address === 'string') return placed(address, instance);
  if (!isAbsent(address)) return `an address of ${textOf(address)}`;
  if (typeof host !== 'string') return `a host of ${textOf(host)}`;
  return placed(`${inBrackets(host)}:${textOf(port)}`, instance);
}

function placed(text: string, instance: Readonly<Record<string, unknown>>): Member | string {
  const read = readAddress(text);
  if (!read.ok) return `${shown(text)}: ${read.error.problem}`;
  const { name, weight, maxConnections, backup } = instance;
  for (const [key, isUsable] of Object.entries(USABLE)) {
    const value = instance[key];
    if (!isAbsent(value) && !isUsable(value)) return `${shown(text)}: a ${key} of ${textOf(value)}`;
  }
  const plain = plainMember(read.value);
  return {
    ...plain,
    name: typeof name === 'string' ? name : plain.name,
    weight: typeof weight === 'number' ? weight : plain.weight,
    maxConnections: typeof maxConnections === 'number' ? maxConnections : plain.maxConnections,
    backup: backup === true,
  };
}

/** Bounds are those of a backend in the file. */
const USABLE: Readonly<Record<string, (value: unknown) => boolean>> = {
  name: (value) => typeof value === 'string' && BACKEND_NAME_PATTERN.test(value),
  weight: (value) => isWithin(value, MAX_WEIGHT),
  maxConnections: (value) => isWithin(value, MAX_CONNECTIONS),
  backup: (value) => typeof value === 'boolean',
};

function isWithin(value: unknown, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

/** Registries say null where there is nothing to say. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function textOf(value: unknown): string {
  return shown(typeof value === 'string' ? value : String(value));
}
