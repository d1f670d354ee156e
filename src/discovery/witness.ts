/**
 * What a source's answers mean for those who serve. A source is a witness, not an order: what it
 * fails to say changes nothing, and what would take many away must be said for a while before it
 * counts. Pure; the rules and their reasons are in docs/adr/0021-sources-are-witnesses.md.
 */
import type { SourceFailure, WitnessRules } from '../core/discovery_spec.js';
import { formatAddress } from '../core/endpoint.js';
import { sameValue } from '../core/same_value.js';
import { type Answer, failed, type Member, type Members } from './source.js';

/** Why the newest answer changes nothing, or not yet. */
export type Doubt =
  | {
      readonly kind: 'failed';
      readonly failure: SourceFailure;
      readonly problem: string;
      readonly sinceMs: number;
    }
  /** It names nobody, and that is not allowed to count. */
  | { readonly kind: 'empty'; readonly sinceMs: number }
  /** It takes away `missing` of `of` members. */
  | {
      readonly kind: 'suspicious';
      readonly missing: readonly string[];
      readonly of: number;
      readonly sinceMs: number;
    };

/** Not named any more, and here because its probes pass. */
export interface HeldMember {
  readonly member: Member;
  /** Since when no answer names it. */
  readonly sinceMs: number;
}

/** Identity within a source: who comes back at the same address is not new. */
export function memberKey({ address }: Pick<Member, 'address'>): string {
  return formatAddress(address);
}

export class Witness {
  readonly #rules: WitnessRules;
  /** Of the last answer that counts. */
  #named = new Map<string, Member>();
  readonly #held = new Map<string, HeldMember>();
  /** The newest answer while it is suspicious, and since when it and all before it miss whom. */
  #suspicious: { readonly answer: Members; readonly missing: Map<string, number> } | null = null;
  #doubt: Doubt | null = null;
  #latest: Members | null = null;
  #goodMs: number | null = null;
  /** How many served before a change, for as long as many small steps may be one large one. */
  #sizes: readonly { readonly size: number; readonly untilMs: number }[] = [];
  /** Left because their role is another one now, since somebody asked last. */
  #demoted = new Set<string>();

  constructor(rules: WitnessRules) {
    this.#rules = rules;
  }

  /** Takes up what an earlier process knew; only before the first answer. */
  restore(members: readonly Member[]): void {
    this.#named = byKey(members);
  }

  get doubt(): Doubt | null {
    return this.#doubt;
  }

  get held(): readonly HeldMember[] {
    return [...this.#held.values()];
  }

  /** What the newest answer left out. */
  get leftOut(): readonly string[] {
    return this.#latest?.leftOut ?? [];
  }

  /** When an answer last counted; null: never. */
  get goodMs(): number | null {
    return this.#goodMs;
  }

  hear(answer: Answer, nowMs: number): void {
    switch (answer.kind) {
      case 'failed':
        this.#fail(answer.failure, answer.problem, nowMs);
        return;
      case 'unchanged':
        if (this.#latest !== null) this.#hearMembers(this.#latest, nowMs);
        return;
      case 'members': {
        const { limit } = this.#rules;
        const count = answer.members.length;
        if (count > limit) {
          const { failure, problem } = failed('too-much', `it names ${count}, of ${limit} at most`);
          this.#fail(failure, problem, nowMs);
        } else this.#hearMembers(answer, nowMs);
      }
    }
  }

  /**
   * Those who serve now. `isWell` says of one that is not named any more whether its probes pass;
   * when they fail it goes at once.
   */
  standing(nowMs: number, isWell: (member: Member) => boolean): readonly Member[] {
    this.#settle(nowMs);
    for (const [key, { member, sinceMs }] of this.#held) {
      if (nowMs - sinceMs >= this.#rules.holdMs || !isWell(member)) this.#held.delete(key);
    }
    const all = [...this.#named.values(), ...this.held.map(({ member }) => member)];
    return all.filter(({ wanted }) => wanted === 'serve').sort(byAddress);
  }

  /** True while time alone may change what stands. */
  get isWaiting(): boolean {
    return this.#held.size > 0 || this.#suspicious !== null;
  }

  /** Who left because of its role, since this was asked last. */
  takeDemoted(): ReadonlySet<string> {
    const demoted = this.#demoted;
    this.#demoted = new Set();
    return demoted;
  }

  #fail(failure: SourceFailure, problem: string, nowMs: number): void {
    const sinceMs = this.#doubt?.kind === 'failed' ? this.#doubt.sinceMs : nowMs;
    this.#doubt = { kind: 'failed', failure, problem, sinceMs };
    // What is repeated must be repeated without a gap.
    this.#suspicious = null;
  }

  #hearMembers(answer: Members, nowMs: number): void {
    this.#latest = answer;
    const members = byKey(answer.members);
    const roles = rolesIn(answer);
    const serving = [...this.#named].filter(([, member]) => serves(member));
    const missing = serving.filter(
      ([key, member]) => !serves(members.get(key)) && !isDemoted(member, roles),
    );
    const isEmpty = missing.length > 0 && ![...members.values()].some(serves);
    if (isEmpty && this.#rules.whenEmpty === 'keep') {
      const sinceMs = this.#doubt?.kind === 'empty' ? this.#doubt.sinceMs : nowMs;
      this.#doubt = { kind: 'empty', sinceMs };
      this.#suspicious = null;
      return;
    }
    this.#sizes = this.#sizes.filter(({ untilMs }) => nowMs < untilMs);
    const most = Math.max(serving.length, ...this.#sizes.map(({ size }) => size));
    const removed = missing.length + most - serving.length;
    const isMuch = missing.length > 0 && 100 * removed > this.#rules.maxRemovedPercent * most;
    if (!isEmpty && !isMuch) {
      const untilMs = nowMs + this.#rules.confirmMs;
      if (missing.length > 0) this.#sizes = [...this.#sizes, { size: serving.length, untilMs }];
      this.#accept(answer, members, nowMs);
      return;
    }
    const before = this.#suspicious?.missing;
    const since = new Map(missing.map(([key]) => [key, before?.get(key) ?? nowMs]));
    this.#suspicious = { answer, missing: since };
    const sinceMs = this.#doubt?.kind === 'suspicious' ? this.#doubt.sinceMs : nowMs;
    const names = missing.map(([, member]) => nameOf(member)).sort();
    this.#doubt = { kind: 'suspicious', missing: names, of: serving.length, sinceMs };
    this.#settle(nowMs);
  }

  /**
   * A suspicious answer counts against those whom no answer has named for `confirmMs`: one who was
   * named meanwhile stays, so that sources which contradict themselves take nobody away.
   */
  #settle(nowMs: number): void {
    if (this.#suspicious === null) return;
    const { answer, missing } = this.#suspicious;
    const { confirmMs } = this.#rules;
    const isDue = (sinceMs: number): boolean => nowMs - sinceMs >= confirmMs;
    if (![...missing.values()].some(isDue)) return;
    const next = byKey(answer.members);
    for (const [key, sinceMs] of missing) {
      const member = this.#named.get(key);
      if (!isDue(sinceMs) && member !== undefined) next.set(key, member);
    }
    this.#sizes = [];
    this.#accept(answer, next, nowMs);
  }

  #accept(answer: Members, members: ReadonlyMap<string, Member>, nowMs: number): void {
    const before = this.#named;
    const since = this.#suspicious?.missing;
    this.#named = new Map();
    for (const [key, member] of members) {
      const known = before.get(key) ?? this.#held.get(key)?.member;
      this.#held.delete(key);
      // The name is a part of what it is to counters and overrides: it keeps the first one.
      this.#named.set(key, known === undefined ? member : { ...member, name: known.name });
    }
    const roles = rolesIn(answer);
    for (const [key, member] of before) {
      if (members.has(key)) continue;
      if (isDemoted(member, roles)) this.#demoted.add(key);
      else if (serves(member)) {
        this.#held.set(key, { member, sinceMs: since?.get(key) ?? nowMs });
      }
    }
    for (const key of roles.elsewhere) if (this.#held.delete(key)) this.#demoted.add(key);
    this.#suspicious = null;
    this.#doubt = null;
    this.#goodMs = nowMs;
  }
}

/** Whether two standing sets ask for the same; both are in the order of `standing`. */
export function sameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  return sameValue(a, b);
}

/** How logs call a member. */
export function nameOf(member: Member): string {
  return member.name ?? memberKey(member);
}

/** Without a weight nobody is chosen: for those who count, it is the same as not to be named. */
function serves(member: Member | undefined): boolean {
  return member !== undefined && member.wanted === 'serve' && member.weight > 0;
}

interface Roles {
  /** Known in another role than the one that was asked for. */
  readonly elsewhere: ReadonlySet<string>;
  readonly primaries: ReadonlySet<string>;
}

function rolesIn({ members, elsewhere }: Members): Roles {
  const primaries = members.filter(({ role }) => role === 'primary');
  return {
    elsewhere: new Set(elsewhere.map(formatAddress)),
    primaries: new Set(primaries.map(memberKey)),
  };
}

/**
 * It has another role now, because the source says so, or because somebody else is the primary: the
 * source decides who that is, and there is one.
 */
function isDemoted(member: Member, { elsewhere, primaries }: Roles): boolean {
  const key = memberKey(member);
  if (elsewhere.has(key)) return true;
  return member.role === 'primary' && primaries.size > 0 && !primaries.has(key);
}

/** Of two with one address the first counts. */
function byKey(members: readonly Member[]): Map<string, Member> {
  const found = new Map<string, Member>();
  for (const member of members) {
    const key = memberKey(member);
    if (!found.has(key)) found.set(key, member);
  }
  return found;
}

/** Answers come in any order, and a set is no other because of it. */
function byAddress(a: Member, b: Member): number {
  const [left, right] = [memberKey(a), memberKey(b)];
  return left < right ? -1 : Number(left > right);
}
