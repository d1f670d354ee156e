/**
 * A pool's members, sorted by whether they may be chosen: what `eligibility.ts` and `standing.ts`
 * say about each, kept up by change instead of asked at every choice. Before a choice the roster
 * reads which rows of the ledger have changed and looks at those; it is then what a look at every
 * member would have found.
 */
import { CandidateSet } from '../balance/candidate_set.js';
import type { Figures, Policy } from '../balance/policy.js';
import type { BackendId, PoolId, WorkerId } from '../core/brand.js';
import type { Ineligible } from '../core/outcome.js';
import { inStretches, type Stretches } from '../core/stretches.js';
import { BackupLine } from './backup_line.js';
import { type ChangeReader, EVERY_ROW, isCountOnly, rowIn } from './change_journal.js';
import { ineligibleMember, type Regard, type Wellness, wellnessOf } from './eligibility.js';
import type { Ledger } from './ledger.js';
import type { PlannedBackend } from './planned_backend.js';
import { RowIndex } from './row_index.js';
import {
  type Hope,
  hopeOf,
  type NoBackend,
  noBackendBy,
  regardBy,
  type Tier,
  tiersOf,
} from './standing.js';

/** What the counts below know about a member. */
interface Account {
  wellness: Wellness;
  /** null: it yields. */
  health: Hope | null;
  /** null: it yields, or the pool never panics. */
  panic: Hope | null;
}

export interface RosterOptions {
  readonly pool: PoolId;
  readonly ledger: Ledger;
  readonly worker: WorkerId;
  readonly policy: Policy;
  readonly figures: Figures;
  readonly panicPercent: number;
  /** A member is well again that was down or ejected; it is sorted in afterwards. */
  readonly returned: (member: number) => void;
}

export class Roster {
  readonly #members: readonly PlannedBackend[];
  readonly #pool: PoolId;
  readonly #ledger: Ledger;
  readonly #worker: WorkerId;
  readonly #policy: Policy;
  readonly #panicPercent: number;
  readonly #returned: RosterOptions['returned'];
  readonly #changes: ChangeReader;
  readonly #rows: RowIndex;
  readonly #tiers: Readonly<Record<Tier, CandidateSet>>;
  readonly #backups: BackupLine;
  /** By member. */
  readonly #accounts: readonly Account[];
  readonly #wellness: Record<Wellness, number> = { well: 0, unwell: 0, unfit: 0 };
  /** Of those that do not yield. */
  readonly #hopes: Readonly<Record<Regard, Record<Hope, number>>> = {
    health: { place: 0, unproven: 0, unwell: 0, none: 0 },
    panic: { place: 0, unproven: 0, unwell: 0, none: 0 },
  };
  /** Members that the present choice leaves out, though they are candidates. */
  readonly #aside: number[] = [];

  /** A roster that has not looked at any member yet. */
  constructor(members: readonly PlannedBackend[], options: RosterOptions) {
    const { ledger, policy, figures, panicPercent, returned } = options;
    this.#members = members;
    this.#pool = options.pool;
    this.#ledger = ledger;
    this.#worker = options.worker;
    this.#policy = policy;
    this.#panicPercent = panicPercent;
    this.#returned = returned;
    const ids = members.map(({ id }) => id);
    this.#rows = new RowIndex(ids);
    const hasBackups = members.some(({ rank }) => rank > 0);
    const room = { first: members.length, backup: 0, all: 0 };
    if (hasBackups) room.backup = members.length;
    if (panicPercent > 0) room.all = members.length;
    this.#tiers = {
      first: new CandidateSet(room.first, figures),
      backup: new CandidateSet(room.backup, figures),
      all: new CandidateSet(room.all, figures),
    };
    const ranks = members.map(({ rank }) => rank);
    this.#backups = new BackupLine(this.#tiers.backup, ranks);
    this.#accounts = members.map(() => ({ wellness: 'unfit', health: null, panic: null }));
    this.#wellness.unfit = members.length;
    // From here on the pool's journal has what changes; what is read later is newer.
    if (policy.needs.counts) for (const id of ids) ledger.watchCounts(id, options.worker);
    this.#changes = ledger.changes.readerOf(options.pool, ids);
  }

  /** Visits every member; the policy has no part in it yet. */
  fill(): Stretches {
    return inStretches(this.#members.length, (member) => this.#look(member));
  }

  /** The policy knows these members now, and chooses from here on. */
  open(): void {
    const { first, backup, all } = this.#tiers;
    const policy = this.#policy;
    first.chooseBy(policy);
    // A tier that no member can ever be in takes no memory.
    if (backup.capacity > 0) backup.chooseBy(policy);
    if (all.capacity > 0) all.chooseBy(policy);
  }

  /**
   * Chooses no more: counts that nothing follows any more are not noted for it. `next` does so in
   * its place; null: nothing does.
   */
  close(next: Roster | null): void {
    if (!this.#policy.needs.counts) return;
    for (const { id } of this.#members) {
      if (next?.ordersByCount(id) === true) continue;
      this.#ledger.unwatchCounts(id, this.#pool, this.#worker);
    }
  }

  ordersByCount(backend: BackendId): boolean {
    return this.#policy.needs.counts && this.#rows.memberAt(backend) >= 0;
  }

  /** Brings everything in step with the ledger. */
  follow(): void {
    this.#putBack();
    let unread = this.#changes.unread;
    if (unread === 0) return;
    if (unread > this.#members.length) return this.#lookAtAll();
    for (; unread > 0; unread--) {
      const entry = this.#changes.next();
      if (entry === EVERY_ROW) return this.#lookAtAll();
      const member = this.#rows.memberAt(rowIn(entry));
      if (member < 0) continue;
      if (isCountOnly(entry)) this.#counted(member);
      else this.#look(member);
    }
  }

  get regard(): Regard {
    if (this.#panicPercent === 0) return 'health';
    return regardBy(this.#wellness.well, this.#wellness.unwell, this.#panicPercent);
  }

  /** The candidates of the first tier that has any; null when none has. */
  candidates(regard: Regard): CandidateSet | null {
    for (const tier of tiersOf(regard)) {
      const candidates = this.#tiers[tier];
      if (candidates.count > 0) return candidates;
    }
    return null;
  }

  /** The present choice leaves `member` out: until it is followed again. */
  leaveOut(member: number): void {
    this.#aside.push(member);
    this.#tiers.first.remove(member);
    this.#backups.remove(member);
    this.#tiers.all.remove(member);
  }

  leaveOutTried(tried: readonly BackendId[]): void {
    for (const id of tried) {
      const member = this.#rows.memberAt(id);
      if (member >= 0) this.leaveOut(member);
    }
  }

  /** Why there is no candidate. `tried`: in vain, by this session. */
  whyNoBackend(regard: Regard, tried: readonly BackendId[] | null): NoBackend {
    const hopes = this.#hopes[regard];
    if (tried === null) return noBackendBy(hopes);
    const left = { ...hopes };
    for (const [index, id] of tried.entries()) {
      const member = this.#rows.memberAt(id);
      if (member < 0 || tried.indexOf(id) !== index) continue;
      if (this.#accounts[member]?.[regard] !== 'place') continue;
      left.place--;
      left.unwell++;
    }
    return noBackendBy(left);
  }

  /** This worker's own knowledge of `member` has changed. */
  measured(member: number): void {
    this.#tiers.first.measured(member);
    this.#tiers.backup.measured(member);
    this.#tiers.all.measured(member);
  }

  #putBack(): void {
    for (let member = this.#aside.pop(); member !== undefined; member = this.#aside.pop()) {
      this.#look(member);
    }
  }

  #lookAtAll(): void {
    this.#changes.skip();
    for (let member = 0; member < this.#members.length; member++) this.#look(member);
  }

  /** Reads one row of the ledger and sorts its member in. */
  #look(index: number): void {
    const ledger = this.#ledger;
    const member = this.#members[index];
    const account = this.#accounts[index];
    if (member === undefined || account === undefined) return;
    const { id } = member;
    const wellness = member.draining ? 'unfit' : wellnessOf(ledger, id);
    this.#wellness[account.wellness]--;
    this.#wellness[wellness]++;
    const before = account.wellness;
    account.wellness = wellness;
    if (before === 'unwell' && wellness === 'well') this.#returned(index);
    if (member.yielding) return;
    const reason = ineligibleMember(ledger, member, null, 'health');
    this.#sort(member.rank > 0 ? 'backup' : 'first', index, reason);
    this.#hope(account, 'health', hopeOf(reason));
    if (this.#panicPercent === 0) return;
    const inPanic = ineligibleMember(ledger, member, null, 'panic');
    this.#sort('all', index, inPanic);
    this.#hope(account, 'panic', hopeOf(inPanic));
  }

  #counted(member: number): void {
    if (!this.#policy.needs.counts) return;
    // It is in one of the first two, if in any. The member itself would say in which, but among
    // thousands of members its object is in no cache.
    this.#tiers.first.counted(member);
    this.#tiers.backup.counted(member);
    this.#tiers.all.counted(member);
  }

  #sort(tier: Tier, index: number, reason: Ineligible | null): void {
    const candidates = this.#tiers[tier];
    const sorted = tier === 'backup' ? this.#backups : candidates;
    if (reason !== null) return sorted.remove(index);
    const isKnown = candidates.has(index);
    sorted.put(index, this.#weightOf(index));
    if (isKnown && this.#policy.needs.counts) candidates.counted(index);
  }

  #hope(account: Account, regard: Regard, hope: Hope): void {
    const hopes = this.#hopes[regard];
    const before = account[regard];
    if (before !== null) hopes[before]--;
    hopes[hope]++;
    account[regard] = hope;
  }

  #weightOf(index: number): number {
    const id = this.#members[index]?.id;
    return id === undefined ? 0 : this.#ledger.weight(id);
  }
}
