/**
 * What a source's answers mean for the members that serve. A source is a witness, not an order:
 * what it fails to say changes nothing, an answer that would remove many must be repeated for a
 * while before it counts, and probes are a second witness. Pure; the rules and their reasons are in
 * docs/adr/0021-sources-are-witnesses.md.
 */
import type { SourceFailure, WitnessRules } from '../core/discovery_spec.js';
import type { Proof } from '../core/proof.js';
import type { Doubt } from './doubt.js';
import { byAddress, byKey, loggedName, memberKey, serves } from './member_sets.js';
import { isDemoted, NO_ROLES, type Roles, rolesIn } from './roles.js';
import type { Member, Members, SourceAnswer } from './source.js';

/** Not named any more, or named as one that gets no sessions, and still here. */
export interface HeldMember {
  readonly member: Member;
  /** Since when no answer lets it serve. */
  readonly sinceMs: number;
  /**
   * `told`: the source names it and says that it gets no sessions; there is no time limit for that.
   */
  readonly because: 'absent' | 'told';
}

/** An answer that takes too many away to count at once. */
interface Pending {
  readonly answer: Members;
  /** Since when no answer lets them serve, one after the other. */
  readonly since: ReadonlyMap<string, number>;
  readonly sinceMs: number;
}

export class Witness {
  readonly #rules: WitnessRules;
  readonly #proofOf: (member: Member) => Proof;
  /** Of the last answer that counts. */
  #named = new Map<string, Member>();
  #roles: Roles = NO_ROLES;
  #held = new Map<string, HeldMember>();
  /** Known from an earlier process: until their first probe they are what they were. */
  #remembered: ReadonlySet<string> = new Set();
  #pending: Pending | null = null;
  #doubt: Doubt | null = null;
  #contradictedMs: number | null = null;
  #latest: Members | null = null;
  #goodMs: number | null = null;
  /** How many served before a change, for as long as many small steps may be one large one. */
  #sizes: readonly { readonly size: number; readonly untilMs: number }[] = [];
  /** Left because their role is another one now, since the last call of `takeDemoted`. */
  #demoted = new Set<string>();

  constructor(rules: WitnessRules, proofOf: (member: Member) => Proof) {
    this.#rules = rules;
    this.#proofOf = proofOf;
  }

  /** Takes up what an earlier process knew; only before the first answer. */
  restore(members: readonly Member[]): void {
    this.#named = byKey(members);
    this.#remembered = new Set(this.#named.keys());
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

  /** What else people should know of the newest answer. */
  get remarks(): readonly string[] {
    return this.#latest?.remarks ?? [];
  }

  /** When an answer last counted; null: never. */
  get goodMs(): number | null {
    return this.#goodMs;
  }

  hear(answer: SourceAnswer, nowMs: number): void {
    switch (answer.kind) {
      case 'failed':
        this.#fail(answer.failure, answer.problem, nowMs);
        return;
      case 'unchanged':
        if (this.#latest !== null) this.#hearMembers(this.#latest, nowMs);
        return;
      case 'members':
        this.#hearMembers(answer, nowMs);
    }
  }

  /** The members that serve now: time goes by, and probes go on. */
  standing(nowMs: number): readonly Member[] {
    if (this.#pending !== null && this.#doubt?.kind === 'suspicious') {
      this.#judge(this.#pending.answer, nowMs);
    }
    this.#release(nowMs);
    const all = new Map([...this.#named].filter(([, { wanted }]) => wanted === 'serve'));
    for (const [key, { member }] of this.#held) all.set(key, member);
    return [...all.values()].sort(byAddress);
  }

  /** True while time alone, or a probe, may change what stands. */
  get isWaiting(): boolean {
    return this.#held.size > 0 || this.#doubt?.kind === 'suspicious';
  }

  /** Members that left because of their role, since the last call. */
  takeDemoted(): ReadonlySet<string> {
    const demoted = this.#demoted;
    this.#demoted = new Set();
    return demoted;
  }

  /** The answer before it stays in question: a source that fails now and then says no other. */
  #fail(failure: SourceFailure, problem: string, nowMs: number): void {
    const sinceMs = this.#doubt?.kind === 'failed' ? this.#doubt.sinceMs : nowMs;
    this.#doubt = { kind: 'failed', failure, problem, sinceMs };
  }

  #hearMembers(answer: Members, nowMs: number): void {
    // Also one that is too much: a source that has nothing new to say means this one.
    this.#latest = answer;
    const { limit } = this.#rules;
    const count = answer.members.length;
    if (count > limit) {
      this.#fail('too-much', `it names ${count}, of ${limit} at most`, nowMs);
      return;
    }
    const doubt = this.#doubt;
    const isGap = doubt?.kind === 'failed' || doubt?.kind === 'empty';
    // Two answers so far apart are no repetition: both may stem from one outage.
    if (isGap && nowMs - doubt.sinceMs > this.#rules.confirmMs) this.#pending = null;
    this.#judge(answer, nowMs);
  }

  /** Whether `answer` counts, and if not yet, since when it is said. */
  #judge(answer: Members, nowMs: number): void {
    const members = byKey(answer.members);
    const roles = rolesIn(answer);
    const serving = [...this.#named.values()].filter(serves);
    const gone = serving.filter(
      (member) => !serves(members.get(memberKey(member))) && !isDemoted(member, roles),
    );
    const isEmpty = gone.length > 0 && ![...members.values()].some(serves);
    if ((isEmpty || this.#isBlank(answer)) && this.#rules.whenEmpty === 'keep') {
      const sinceMs = this.#doubt?.kind === 'empty' ? this.#doubt.sinceMs : nowMs;
      this.#doubt = { kind: 'empty', sinceMs };
      return;
    }
    // To lose one that is down, or never was up, is no loss.
    const missing = isEmpty ? gone : gone.filter((member) => this.#counts(member));
    const back = this.held.filter(({ member }) => serves(members.get(memberKey(member))));
    const size = [...serving, ...back.map(({ member }) => member)].filter((member) =>
      this.#counts(member),
    ).length;
    this.#sizes = this.#sizes.filter(({ untilMs }) => nowMs < untilMs);
    const most = Math.max(size, ...this.#sizes.map((one) => one.size));
    const removed = missing.length + most - size;
    const isMuch = missing.length > 0 && 100 * removed > this.#rules.maxRemovedPercent * most;
    if (isEmpty || isMuch) {
      this.#suspect({ answer, members, gone, missing, of: isEmpty ? serving.length : size, nowMs });
      return;
    }
    const untilMs = nowMs + this.#rules.confirmMs;
    if (missing.length > 0) this.#sizes = [...this.#sizes, { size, untilMs }];
    this.#accept(answer, members, nowMs);
  }

  /**
   * It names no member, and there is none: that removes nothing, but it is most often a wrong name
   * of a key or service. Where roles are known, no member with the wanted one is an answer.
   */
  #isBlank({ members, elsewhere }: Members): boolean {
    const isNew = this.#named.size === 0 && this.#held.size === 0;
    return isNew && members.length === 0 && elsewhere.length === 0;
  }

  /**
   * A suspicious answer counts against those that no answer has named for `confirmMs`: one that was
   * named meanwhile stays, so that sources which contradict themselves remove nothing.
   */
  #suspect({ answer, members, gone, missing, of, nowMs }: Suspicion): void {
    // To keep one is not to add one: a member that is held and named again has not been missed.
    for (const [key, held] of this.#held) {
      if (!serves(members.get(key))) continue;
      this.#held.set(key, { member: held.member, sinceMs: nowMs, because: 'absent' });
    }
    const before = this.#pending;
    const sinceOf = (member: Member): number => before?.since.get(memberKey(member)) ?? nowMs;
    const since = new Map(gone.map((member) => [memberKey(member), sinceOf(member)]));
    const sinceMs = before?.sinceMs ?? nowMs;
    this.#pending = { answer, since, sinceMs };
    const names = missing.map(loggedName).sort();
    this.#doubt = { kind: 'suspicious', missing: names, of, sinceMs };
    const isDue = (member: Member): boolean => nowMs - sinceOf(member) >= this.#rules.confirmMs;
    if (!missing.some(isDue)) return;
    const next = new Map(members);
    for (const member of missing) if (!isDue(member)) next.set(memberKey(member), member);
    this.#sizes = [];
    this.#accept(answer, next, nowMs);
  }

  #accept(answer: Members, members: ReadonlyMap<string, Member>, nowMs: number): void {
    const roles = rolesIn(answer);
    const before = this.#named;
    const held = new Map<string, HeldMember>();
    for (const [key, member] of this.#leaving(nowMs)) {
      if (serves(members.get(key))) continue;
      const isTold = members.has(key);
      if (isDemoted(member.member, roles)) {
        if (!isTold) this.#demoted.add(key);
      } else if (this.#proof(member.member) === 'serves') {
        held.set(key, { ...member, because: isTold ? 'told' : 'absent' });
      }
    }
    for (const [key, member] of before) {
      if (!members.has(key) && isDemoted(member, roles)) this.#demoted.add(key);
    }
    this.#named = new Map();
    for (const [key, member] of members) {
      const known = before.get(key) ?? this.#held.get(key)?.member;
      // The name is a part of what it is to counters and overrides: it keeps the first one.
      this.#named.set(key, known === undefined ? member : { ...member, name: known.name });
    }
    this.#held = held;
    this.#roles = roles;
    this.#pending = null;
    this.#doubt = null;
    this.#goodMs = nowMs;
  }

  /** All that have served until now, and since when no answer lets them. */
  #leaving(nowMs: number): ReadonlyMap<string, Omit<HeldMember, 'because'>> {
    const since = this.#pending?.since;
    const serving = [...this.#named].filter(([, member]) => serves(member));
    return new Map([
      ...serving.map(
        ([key, member]) => [key, { member, sinceMs: since?.get(key) ?? nowMs }] as const,
      ),
      ...this.#held,
    ]);
  }

  /**
   * One that is held goes when it fails its probes, and when its time is over. But while none of
   * those that are named serves, none that was well goes: probes contradict the source then. This
   * does not hold where it knows roles, or where an empty answer is allowed.
   */
  #release(nowMs: number): void {
    const named = [...this.#named.values()].filter(serves);
    const proofs = named.map((member) => this.#proof(member));
    const isOneReady = proofs.some((proof) => proof === 'serves' || proof === 'unprobed');
    const isFinal = isOneReady || named.length === 0 || this.#roles.kind === 'known';
    const kept: string[] = [];
    for (const [key, { member, sinceMs, because }] of this.#held) {
      const isWell = this.#proof(member) === 'serves';
      const isInTime = because === 'absent' && nowMs - sinceMs < this.#rules.holdMs;
      if (isFinal && !(isWell && isInTime)) this.#held.delete(key);
      else if (!isFinal && !isInTime) kept.push(loggedName(member));
    }
    this.#contradictedMs = kept.length === 0 ? null : (this.#contradictedMs ?? nowMs);
    if (this.#doubt !== null && this.#doubt.kind !== 'contradicted') return;
    const sinceMs = this.#contradictedMs;
    // Those that have just come have had no probe: that is no contradiction yet.
    const isOld = sinceMs !== null && nowMs - sinceMs >= this.#rules.confirmMs;
    this.#doubt = isOld ? { kind: 'contradicted', kept: kept.sort(), sinceMs } : null;
  }

  /** Whether it is a loss when it goes. */
  #counts(member: Member): boolean {
    const proof = this.#proof(member);
    return proof !== 'down' && proof !== 'unproven';
  }

  #proof(member: Member): Proof {
    const proof = this.#proofOf(member);
    return proof === 'unproven' && this.#remembered.has(memberKey(member)) ? 'serves' : proof;
  }
}

interface Suspicion {
  readonly answer: Members;
  readonly members: ReadonlyMap<string, Member>;
  /** Those that would serve no more. */
  readonly gone: readonly Member[];
  /** Those of them that are a loss. */
  readonly missing: readonly Member[];
  readonly of: number;
  readonly nowMs: number;
}
