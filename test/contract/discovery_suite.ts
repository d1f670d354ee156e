/** What holds for every kind of source, whatever its server does, and however it is followed. */
import t, { type Test } from 'tap';
import type { SourceFailure, WitnessRules } from '../../src/core/discovery_spec.js';
import { atRate, eventually } from '../support/deadline.js';
import { type SourcePeer, TIMES } from './discovery_peers.js';

export interface Followed {
  /** The last bytes of the members that serve at 10.0.*.*: `1 2 3`. */
  hosts(): string;
  /** Each change of the members that serve, as `hosts` had it afterwards. */
  readonly changes: readonly string[];
  /** How many answers came; null: unknown. */
  answers(): number | null;
  doubt(): SeenDoubt | null;
  /** Which failure it names, of a source that fails in another way by now. */
  readonly names: 'the first failure' | 'the last failure';
  leftOut(): readonly string[];
  stop(): void;
}

/** A Doubt (src/discovery/witness.ts), as far as it can be seen. */
export interface SeenDoubt {
  readonly kind: 'failed' | 'empty' | 'suspicious' | 'contradicted';
  readonly failure?: SourceFailure;
  readonly problem?: string;
  readonly missing?: readonly string[];
  readonly of?: number;
}

export type Follow<P> = (t: Test, peer: P, rules: WitnessRules) => Followed | Promise<Followed>;

const RULES: WitnessRules = {
  holdMs: 0,
  confirmMs: 10_000,
  maxRemovedPercent: 50,
  whenEmpty: 'keep',
  limit: 1_024,
};

function hosts(...bytes: readonly number[]): readonly string[] {
  return bytes.map((byte) => `10.0.0.${byte}`);
}

const reached = (what: string, holds: () => boolean): Promise<true> =>
  eventually(what, () => (holds() ? true : undefined));

/** Declares the tests of one kind of source. */
export function contractOfSource<P extends SourcePeer>(
  kind: string,
  start: (t: Test) => Promise<P>,
  followWith: Follow<P>,
): void {
  const follow = async (t: Test, peer: P): Promise<Followed> => {
    const followed = await followWith(t, peer, RULES);
    t.teardown(() => followed.stop());
    return followed;
  };

  t.test(`${kind} reports which members are there, come and go`, async (t) => {
    const peer = await start(t);
    peer.tell(hosts(1, 2, 3));
    const one = await follow(t, peer);
    await reached('three', () => one.hosts() === '1 2 3');
    peer.tell(hosts(4, 3, 2));
    await reached('two of three', () => one.hosts() === '2 3 4');
    t.equal(one.doubt(), null);
    t.same(one.leftOut(), []);
  });

  t.test(`${kind}: no wrong answer removes a member, and each has its name`, async (t) => {
    const peer = await start(t);
    for (const [name, { begin, failure }] of peer.wrong) {
      peer.tell(hosts(1, 2, 3, 4));
      const one = await follow(t, peer);
      await reached(`${name}: four`, () => one.hosts() === '1 2 3 4');
      begin();
      // What was asked while it began may fail in another way: a watch follows no redirect.
      const isSo = (doubt: SeenDoubt | null): boolean =>
        doubt?.kind === 'failed' &&
        (doubt.failure === failure || one.names === 'the first failure');
      await reached(`${name}: ${failure}`, () => isSo(one.doubt()));
      t.match(one.doubt(), { failure: /\w/, problem: /\w/ }, name);
      t.equal(one.hosts(), '1 2 3 4', name);
      one.stop();
    }
  });

  t.test(`${kind} is believed again when it is right again`, async (t) => {
    const peer = await start(t);
    const one = await follow(t, peer);
    await reached('a failure', () => one.doubt()?.kind === 'failed');
    t.equal(one.hosts(), '');
    peer.tell(hosts(1));
    await reached('the first answer', () => one.hosts() === '1');
    peer.tell([]);
    await reached('an empty answer', () => one.doubt()?.kind === 'empty');
    peer.tell(hosts(1, 2));
    await reached('a better one', () => one.hosts() === '1 2');
    t.same(one.changes, ['1', '1 2']);
  });

  t.test(
    `${kind}: what it says twice counts once, and a socket only where it is local`,
    async (t) => {
      const peer = await start(t);
      peer.tell([...hosts(1, 2, 1), ...(peer.socket === null ? [] : [peer.socket])]);
      const one = await follow(t, peer);
      await reached('an answer', () => one.hosts() !== '');
      const told = one.hosts().split(' ');
      const isFile = kind === 'file';
      t.equal(told.length, isFile ? 3 : 2);
      t.equal(
        told.some((host) => host.startsWith('unix:')),
        isFile,
      );
      const isTold = peer.socket !== null && !isFile;
      t.match(one.leftOut(), isTold ? [/^unix:.*: only a file may name UNIX sockets$/] : []);
    },
  );

  t.test(`${kind}: more members than the limit change nothing`, async (t) => {
    const peer = await start(t);
    peer.tell(hosts(1, 2));
    const one = await follow(t, peer);
    await reached('two', () => one.hosts() === '1 2');
    peer.tell(Array.from({ length: peer.most }, (_, n) => `10.${n >> 8}.0.${n & 255}`));
    // So many may take a busy machine longer than an answer may: then it is asked again.
    const problem = `it names ${peer.most}, of 1024 at most`;
    await reached('too many', () => one.doubt()?.problem === problem);
    if (one.names === 'the last failure') t.match(one.doubt(), { failure: 'too-much' });
    t.equal(one.hosts(), '1 2');
    const before = one.answers();
    if (before === null) return;
    await reached('one answer more', () => (one.answers() ?? 0) > before);
    t.match(one.doubt(), { failure: 'too-much' }, 'also when nothing has changed since');
  });

  t.test(
    `${kind}: a source that flaps is asked a few times per second, and takes none`,
    async (t) => {
      const peer = await start(t);
      peer.tell(hosts(1, 2, 3, 4));
      const one = await follow(t, peer);
      await reached('four', () => one.hosts() === '1 2 3 4');
      const before = one.answers() ?? 0;
      await atRate(20 * TIMES, 1_000, (turn) =>
        peer.tell(turn % 2 === 0 ? [] : hosts(1 + (turn % 4))),
      );
      // Ten seconds, of which each may have four questions and two looks at time.
      const answers = (one.answers() ?? 0) - before;
      t.ok(answers <= 10 * 6 + 6, `${answers} answers`);
      t.match(one.hosts(), /^\d( \d)*$/);
      peer.tell(hosts(1, 2, 3, 4));
      await reached('four again', () => one.hosts() === '1 2 3 4');
    },
  );

  t.test(`${kind}: what is repeated for long enough counts`, async (t) => {
    const peer = await start(t);
    peer.tell(hosts(1, 2, 3, 4));
    const one = await follow(t, peer);
    await reached('four', () => one.hosts() === '1 2 3 4');
    peer.tell(hosts(9));
    await reached('a suspicion', () => one.doubt()?.kind === 'suspicious');
    t.match(one.doubt(), { of: 4, missing: { length: 4 } });
    await reached('it counts', () => one.hosts() === '9');
    t.same(one.changes, ['1 2 3 4', '9']);
  });
}
