/**
 * Lists of members as other programs write them: Prometheus' `file_sd` and `http_sd` JSON with
 * sluice's own labels, or one address a line. Pure. What does not fit makes the whole list
 * unreadable: a list of which one line is wrong may be wrong in others too.
 */
import { readAddress } from '../core/address_text.js';
import type { Address } from '../core/endpoint.js';
import { BACKEND_NAME_PATTERN } from '../core/identity.js';
import { err, ok, type Result } from '../core/result.js';
import { isRecord } from '../core/unknown.js';
import { shown } from './answers.js';
import { type Member, plainMember } from './source.js';

/** Members, or what is wrong with the list: a clause. */
export type ReadList = Result<readonly Member[], string>;

/** `[{"targets": ["10.0.0.1:5432"], "labels": {"__sluice_weight": "2"}}]` */
export function readTargetGroups(text: string): ReadList {
  let groups: unknown;
  try {
    groups = JSON.parse(text);
  } catch {
    return err('it is not JSON, or only a part of it');
  }
  if (!Array.isArray(groups)) return err('its JSON is no list of groups with targets');
  const members: Member[] = [];
  for (const [index, group] of groups.entries()) {
    const read = readGroup(group);
    if (!read.ok) return err(`group ${index + 1}: ${read.error}`);
    members.push(...read.value);
  }
  return ok(members);
}

/** One address a line; what follows `#` is a comment. */
export function readAddressLines(text: string): ReadList {
  const members: Member[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const word = line.replace(/#.*$/, '').trim();
    if (word === '') continue;
    const address = readAddress(word);
    if (!address.ok) {
      return err(`line ${index + 1}: "${shown(word)}": ${address.error.problem}`);
    }
    members.push(plainMember(address.value));
  }
  return ok(members);
}

/** A group begins with a brace, an address in brackets does not. */
export function looksLikeJson(text: string): boolean {
  return /^\s*(?:\[\s*(?:[{\]]|$)|\{)/.test(text);
}

function readGroup(group: unknown): ReadList {
  if (!isRecord(group)) return err('not an object');
  const { targets, labels = {} } = group;
  if (!Array.isArray(targets)) return err('targets is no list');
  if (!isRecord(labels)) return err('labels is no object');
  const fields = readLabels(labels);
  if (!fields.ok) return fields;
  if (fields.value.name !== null && targets.length > 1) {
    return err('__sluice_name can name one target only');
  }
  const members: Member[] = [];
  for (const target of targets) {
    const address = addressOf(target);
    if (!address.ok) return address;
    members.push({ ...fields.value, address: address.value });
  }
  return ok(members);
}

type Fields = Omit<Member, 'address'>;

/** What a label may say, and where it goes; other labels are Prometheus' own. */
const LABELS: Readonly<Record<string, (text: string) => Partial<Fields> | null>> = {
  __sluice_name: (text) => (BACKEND_NAME_PATTERN.test(text) ? { name: text } : null),
  __sluice_weight: (text) => {
    const weight = integer(text);
    return weight === null || weight > 1_000 ? null : { weight };
  },
  __sluice_max_connections: (text) => {
    const maxConnections = integer(text);
    return maxConnections === null ? null : { maxConnections };
  },
  __sluice_backup: (text) => (/^(true|false)$/.test(text) ? { backup: text === 'true' } : null),
};

function readLabels(labels: Readonly<Record<string, unknown>>): Result<Fields, string> {
  const { address, ...plain } = plainMember(NOWHERE);
  let fields: Fields = plain;
  for (const [label, value] of Object.entries(labels)) {
    if (!label.startsWith('__sluice_')) continue;
    const read = Object.hasOwn(LABELS, label) ? LABELS[label] : undefined;
    if (read === undefined) return err(`unknown label ${shown(label)}`);
    const more = typeof value === 'string' ? read(value) : null;
    if (more === null) return err(`${label}: unusable value ${shown(JSON.stringify(value))}`);
    fields = { ...fields, ...more };
  }
  return ok(fields);
}

const NOWHERE: Address = { kind: 'ip', family: 4, host: '0.0.0.0', port: 0 };

function addressOf(target: unknown): Result<Address, string> {
  if (typeof target !== 'string') return err('a target is no text');
  const read = readAddress(target);
  return read.ok ? read : err(`"${shown(target)}": ${read.error.problem}`);
}

function integer(text: string): number | null {
  return /^\d{1,7}$/.test(text) ? Number(text) : null;
}
