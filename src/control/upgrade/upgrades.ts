/**
 * `sluice ctl upgrade`: this process starts the program that is installed now, hands its place over
 * to it, and finishes its sessions. Until the new one is ready this one can go on as if nothing had
 * been: its sockets stay open, and nothing that it knows is given away.
 */
import type { Timers } from '../../core/clock.js';
import { err, ok, type Result } from '../../core/result.js';
import { rememberedText } from '../../discovery/remembered_text.js';
import type { Log } from '../../observe/log.js';
import type { Installed } from '../../system/installed.js';
import type { ChannelMessage } from '../../system/line_channel.js';
import type { HoldingNotifier } from '../../system/notify.js';
import { installedProgram, type Successor, startSuccessor } from '../../system/successor.js';
import { type Refusal, SUCCEEDED } from '../change_queue.js';
import type { Daemon } from '../daemon.js';
import { keptText } from '../desired/kept_text.js';
import type { Places } from '../places.js';
import type { OwnStateLock } from '../state_lock.js';
import type { GivingAway } from './giving_away.js';
import { heed } from './heeding.js';
import { beginMessage, detailOf, unaskedOf } from './messages.js';
import type { LeaverOrder } from './orders.js';
import type { Predecessor } from './predecessor.js';
import type { Knowledge, Telling } from './telling.js';

/** While no process accepts: the old one has left the sockets, the new one opens them. */
const OPENING_LIMIT_MS = 10_000;

/** For the new process, until it is ready. */
export const USUAL_TIMEOUT_MS = 60_000;

/** Requests that this process got before another one took its place are answered. */
const LAST_ANSWERS_MS = 1_000;

export interface Upgraded {
  readonly pid: number;
  readonly version: string;
  /** Those that this process finishes. */
  readonly sessions: number;
}

export interface UpgradeOrder {
  readonly timeoutMs: number;
  /** The user who asked for it; null: a signal. */
  readonly by: string | null;
}

export interface UpgradesDeps extends Knowledge {
  readonly daemon: Daemon;
  readonly log: Log;
  readonly timers: Timers;
  readonly notifier: HoldingNotifier;
  /** Of the admin endpoints. */
  readonly places: () => Places;
  readonly lock: Pick<OwnStateLock, 'handOver'>;
  /** Whose place this process has taken. */
  readonly predecessor: Predecessor | null;
  readonly installed: Pick<Installed, 'isAnother'>;
  /** The process that serves now gets the order to stop: what is left here ends as at a signal. */
  readonly stop: () => void;
}

/** Why this process has kept its place. */
export interface NotUpgraded {
  /** `stops`: a stop outranks the upgrade. `finishes`: another process serves already. */
  readonly now: 'serves on' | 'stops' | 'finishes';
  readonly problems: Refusal;
}

/** What the new process has said, or why nothing more will come of it. */
type News =
  | { readonly kind: 'said'; readonly message: ChannelMessage }
  | { readonly kind: 'over'; readonly why: string };

/** How both processes go on talking. */
interface Parting {
  readonly giving: GivingAway;
  readonly talk: Talk;
  readonly telling: Telling;
}

export class Upgrades {
  readonly #deps: UpgradesDeps;
  /** Another process serves, and the last session of this one has ended. */
  readonly left: Promise<null>;
  #tellLeft: () => void = () => {};
  #state: 'idle' | 'under way' = 'idle';
  /** It serves. */
  #successor: Successor | null = null;

  constructor(deps: UpgradesDeps) {
    this.#deps = deps;
    deps.predecessor?.leavers.countIn(deps.daemon.handover.elsewhere);
    this.left = new Promise((resolve) => {
      this.#tellLeft = () => resolve(null);
    });
  }

  async ask(asked: UpgradeOrder): Promise<Result<Upgraded, NotUpgraded>> {
    const { daemon, log } = this.#deps;
    const why = this.#refusal();
    if (why !== null) return this.#not([why]);
    this.#state = 'under way';
    const { command } = installedProgram();
    log.event('upgrading', { program: command, by: asked.by, limit_ms: asked.timeoutMs });
    const done = await daemon.handover
      .exclusively(() => this.#upgrade(asked))
      .finally(() => {
        this.#state = 'idle';
      });
    if (done.ok) return done;
    const not = this.#not(done.error);
    if (not.error.now === 'stops') log.event('upgrade-overruled', { by: asked.by });
    else log.event('upgrade-failed', { problems: done.error });
    return not;
  }

  /**
   * At a signal that asks for a reload: whether the program has been replaced, and the new one
   * serves. If not, the signal is a reload of the file.
   */
  async insteadOfReload(): Promise<'upgraded' | 'stays'> {
    const { installed, log } = this.#deps;
    if (!(await installed.isAnother())) return 'stays';
    const why = this.#refusal();
    if (why !== null) {
      log.event('upgrade-refused', { problems: [why] });
      return 'stays';
    }
    const done = await this.ask({ timeoutMs: USUAL_TIMEOUT_MS, by: null });
    return done.ok ? 'upgraded' : 'stays';
  }

  /** A signal for the service came here, and is for the process that serves. */
  passOn(signal: string): void {
    void this.#successor?.channel.send({ kind: 'signal', signal });
  }

  /** Sends it to the processes that still finish sessions and whose place this one has taken. */
  order(order: LeaverOrder): void {
    this.#deps.predecessor?.order(order);
  }

  #not(problems: Refusal): { readonly ok: false; readonly error: NotUpgraded } {
    const { phase, handover } = this.#deps.daemon;
    if (handover.isDone) return err({ now: 'finishes', problems });
    return err({ now: phase === 'stopping' ? 'stops' : 'serves on', problems });
  }

  #refusal(): string | null {
    const { daemon, predecessor } = this.#deps;
    if (this.#state === 'under way') return 'an upgrade is under way already';
    if (daemon.handover.isDone) return SUCCEEDED.join();
    if (daemon.phase !== 'serving') return 'sluice is starting, or stopping';
    if (process.pid === 1) {
      return 'sluice is process 1 here, whose end is the end of its container: replace that instead';
    }
    return predecessor?.leavers.obstacle ?? daemon.handover.obstacle;
  }

  async #upgrade({ timeoutMs }: UpgradeOrder): Promise<Result<Upgraded, Refusal>> {
    const { daemon, timers, places, predecessor } = this.#deps;
    const handed = [...daemon.handover.sockets, ...places().sockets];
    const successor = startSuccessor(
      installedProgram(),
      handed.map(({ fd }) => fd),
      predecessor?.leavers.descriptors ?? [],
    );
    const names = handed.map(({ name }) => name ?? '');
    const talk = new Talk(successor, daemon.handover.overruled);
    const limit = timers.after(timeoutMs, () => talk.end(`it was not ready in ${timeoutMs} ms`));
    void successor.channel.send(
      beginMessage({
        names,
        overrides: keptText(daemon.desires.overrides),
        members: rememberedText(daemon.discoveries.kept),
      }),
    );
    const telling = daemon.handover.tell(successor.channel, this.#deps);
    const prepared = await talk.hear('prepared');
    // One that reads nothing is too late some time, too.
    const told = prepared.ok ? await talk.during(telling.begin()) : prepared;
    limit.cancel();
    if (!told.ok) {
      telling.goOn();
      return failed(successor, told.error);
    }
    await daemon.handover.yieldSockets();
    const giving = daemon.handover.giveAway(successor.channel);
    predecessor?.leavers.tell(successor.channel);
    const opening = timers.after(OPENING_LIMIT_MS, () => talk.end('it does not open its sockets'));
    telling.end();
    void successor.channel.send({ kind: 'go' });
    void telling.counts();
    const ready = await talk.hear('ready');
    opening.cancel();
    if (!ready.ok) {
      const answer = failed(successor, ready.error);
      telling.goOn();
      // What it has accepted by then counts until it has ended.
      await successor.ended;
      giving.takeBack();
      daemon.handover.elsewhere.followAgain();
      await daemon.handover.takeSocketsBack();
      return answer;
    }
    return ok(await this.#handedOver(successor, ready.value, { giving, talk, telling }));
  }

  /** From here on there is no way back. */
  async #handedOver(
    successor: Successor,
    ready: ChannelMessage,
    { giving, talk, telling }: Parting,
  ): Promise<Upgraded> {
    const { daemon, log, lock, notifier, places, predecessor, timers, stop } = this.#deps;
    lock.handOver();
    const pid = Number(ready['pid']);
    await successor.release();
    notifier.mainPid(pid);
    notifier.fallSilent();
    giving.handedOver();
    // Only one process may read there.
    predecessor?.leavers.leaveAlone();
    void successor.channel.send({ kind: 'yours' });
    this.#successor = successor;
    const upgraded = { pid, version: String(ready['version']), sessions: daemon.sessions() };
    log.event('upgraded', upgraded);
    const unasked = unaskedOf(ready);
    places().leave(unasked);
    timers.after(LAST_ANSWERS_MS, () => void places().close());
    void daemon.handover.finish(telling, unasked).then(() => this.#tellLeft());
    talk.go((message) => {
      if (!giving.heard(message)) heed(message, { daemon, log, stop });
    });
    return upgraded;
  }
}

function failed(successor: Successor, why: string): Result<never, Refusal> {
  successor.kill();
  successor.channel.close();
  return err([`the new process is ended: ${why}`]);
}

/** What is said by the new process, until it ends, fails, or is too late. */
class Talk {
  readonly #successor: Successor;
  readonly #news: News[] = [];
  readonly #over: Promise<Result<never, string>>;
  #tellOver: (why: string) => void = () => {};
  #wake: () => void = () => {};

  constructor(successor: Successor, overruled: Promise<unknown>) {
    this.#successor = successor;
    this.#over = new Promise((resolve) => {
      this.#tellOver = (why) => resolve(err(why));
    });
    successor.channel.each((message) => this.#add({ kind: 'said', message }));
    void successor.ended.then((how) => this.end(how));
    void overruled.then(() => this.end('sluice is stopping'));
  }

  end(why: string): void {
    this.#tellOver(why);
    this.#add({ kind: 'over', why });
  }

  /** Waits for `work`, or until nothing more comes of the new process. */
  during(work: Promise<void>): Promise<Result<null, string>> {
    return Promise.race([work.then(() => ok(null)), this.#over]);
  }

  async hear(kind: string): Promise<Result<ChannelMessage, string>> {
    for (;;) {
      const next = this.#news.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if (next.kind === 'over') return err(next.why);
      else if (next.message['kind'] === 'failed') return err(detailOf(next.message));
      else if (next.message['kind'] === kind) return ok(next.message);
    }
  }

  /** From now on `take` gets what the other one says, and what it has said since `hear`. */
  go(take: (message: ChannelMessage) => void): void {
    for (const news of this.#news.splice(0)) if (news.kind === 'said') take(news.message);
    this.#successor.channel.each(take);
  }

  #add(news: News): void {
    this.#news.push(news);
    this.#wake();
  }
}
