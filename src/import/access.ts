/**
 * Rules in order, the first that fits decides, as lists of blocks of which the most specific
 * decides. Both say the same: within a block, and outside of the smaller ones in it, one rule is
 * the first for every address.
 */
import { parseBlock } from '../config/address.js';
import { familyOf, ipBytes, ipText, masked } from '../core/ip_bytes.js';

export interface AddressRule {
  readonly action: 'allow' | 'deny';
  /** `within`: it fits the addresses in `blocks`; `outside`: all others. */
  readonly fits: 'within' | 'outside';
  readonly blocks: readonly string[];
}

export interface AllowDeny {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** A rule with addresses in files, too. */
export interface FileRule extends AddressRule {
  /** Absolute paths. */
  readonly files: readonly string[];
}

export interface FileLists extends AllowDeny {
  readonly allowFiles: readonly string[];
  readonly denyFiles: readonly string[];
}

export const EVERYWHERE: readonly string[] = ['0.0.0.0/0', '::/0'];

/** `text` as sluice writes a block, bits beyond the prefix cleared; null when it is none. */
export function ownBlockText(text: string): string | null {
  const [host = '', length, ...rest] = text.split('/');
  const bytes = ipBytes(host);
  if (bytes === null || rest.length > 0) return null;
  const bits = prefixBits(length, bytes.length * 8);
  if (bits === null) return null;
  const block = `${ipText(familyOf(bytes), masked(bytes, bits))}/${bits}`;
  return parseBlock(block).ok ? block : null;
}

/** `24`, or for IPv4 a mask as `255.255.255.0`. */
function prefixBits(length: string | undefined, full: number): number | null {
  if (length === undefined) return full;
  if (/^[0-9]{1,3}$/.test(length)) return Number(length) <= full ? Number(length) : null;
  const mask = full === 32 ? ipBytes(length) : null;
  if (mask?.length !== 4) return null;
  const binary = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(binary) ? binary.replaceAll('0', '').length : null;
}

/** What no rule fits is allowed. */
export function accessLists(rules: readonly AddressRule[]): AllowDeny {
  const blocks = [...new Set([...EVERYWHERE, ...rules.flatMap((rule) => rule.blocks)])];
  const verdicts = new Map(blocks.map((block) => [block, firstFit(rules, block)]));
  const isAllowed = (block: string): boolean => verdicts.get(block) === 'allow';
  // A block that decides as the next larger one says nothing new.
  const telling = blocks.filter((block) => {
    const parent = parentOf(block, blocks);
    return parent === null ? !isAllowed(block) : verdicts.get(parent) !== verdicts.get(block);
  });
  const allow = telling.filter(isAllowed);
  const open = EVERYWHERE.filter(isAllowed);
  // With any entry in `allow` everything else is refused, also where nothing is said.
  const refused = EVERYWHERE.filter((block) => !isAllowed(block));
  const isImplied = (block: string): boolean => allow.length > 0 && refused.includes(block);
  return {
    allow: allow.length > 0 ? [...open, ...allow] : [...(refused.length === 1 ? open : [])],
    deny: telling.filter((block) => !isAllowed(block) && !isImplied(block)),
  };
}

/**
 * Of rules of which some have files. What stands in those is not known, so the order of the rules
 * must not matter: either they only refuse, or they say which clients may come and refuse all
 * others. null: neither.
 */
export function fileLists(rules: readonly FileRule[]): FileLists | null {
  const blocks = rules.flatMap((rule) => (isForAll(rule) ? [] : rule.blocks));
  const files = rules.flatMap((rule) => rule.files);
  if (rules.every((rule) => rule.action === 'deny' && isOfSome(rule))) {
    return { allow: [], allowFiles: [], deny: blocks, denyFiles: files };
  }
  const last = rules.at(-1);
  const isClosed = last?.action === 'deny' && (isForAll(last) || last.fits === 'outside');
  const others = rules.slice(0, -1);
  return isClosed && others.every((rule) => rule.action === 'allow' && isOfSome(rule))
    ? { allow: blocks, allowFiles: files, deny: [], denyFiles: [] }
    : null;
}

function isForAll({ fits, blocks, files }: FileRule): boolean {
  return fits === 'within' && files.length === 0 && EVERYWHERE.every((one) => blocks.includes(one));
}

function isOfSome(rule: FileRule): boolean {
  return rule.fits === 'within' && !isForAll(rule);
}

function firstFit(rules: readonly AddressRule[], block: string): 'allow' | 'deny' {
  const rule = rules.find(({ fits, blocks }) => {
    const isWithin = blocks.some((one) => covers(one, block));
    return fits === 'within' ? isWithin : !isWithin;
  });
  return rule?.action ?? 'allow';
}

function parentOf(block: string, blocks: readonly string[]): string | null {
  const larger = blocks.filter((one) => one !== block && covers(one, block));
  const bits = (text: string): number => Number(text.split('/')[1]);
  return larger.toSorted((a, b) => bits(b) - bits(a))[0] ?? null;
}

/** Whether all of `inner` lies in `outer`. */
function covers(outer: string, inner: string): boolean {
  const [outerHost = '', outerBits] = outer.split('/');
  const [innerHost = '', innerBits] = inner.split('/');
  if (Number(outerBits) > Number(innerBits)) return false;
  return ownBlockText(`${innerHost}/${outerBits}`) === `${outerHost}/${outerBits}`;
}
