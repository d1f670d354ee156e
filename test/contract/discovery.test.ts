/** What holds for every kind of source, whatever its server does. */
import t, { type Test } from 'tap';
import type { SourceKind, WitnessRules } from '../../src/core/discovery_spec.js';
import { seededRandom } from '../../src/core/random.js';
import { Follower, type FollowerNews } from '../../src/discovery/follower.js';
import { memberKey } from '../../src/discovery/member_sets.js';
import { createSource } from '../../src/discovery/registry.js';
import { atRate, eventually } from '../support/deadline.js';
import { fastTime } from '../support/fast_time.js';
import { seed } from '../support/seed.js';
import { PEERS, type Peer, TIMES } from './discovery_peers.js';

const RULES: WitnessRules = {
  holdMs: 0,
  confirmMs: 10_000,
  maxRemovedPercent: 50,
  whenEmpty: 'keep',
  limit: 1_024,
};

interface Followed {
  readonly follower: Follower;
  /** News that changed who serves, and how many answers came. */
  readonly changes: string[];
  answers(): number;
  hosts(): string;
}

function follow(t: Test, { spec: source }: Peer, rules: Partial<WitnessRules> = {}): Followed {
  const deps = { ...fastTime(TIMES), random: seededRandom(seed) };
  const changes: string[] = [];
  let answers = 0;
  const spec = { source, rules: { ...RULES, ...rules }, maxConnections: 0 };
  const hosts = (): string => follower.members.map(lastByte).join(' ');
  const follower: Follower = new Follower(spec, {
    ...deps,
    source: createSource(source, deps),
    proofOf: () => 'serves',
    news: ({ members }: FollowerNews) => {
      answers++;
      if (members === 'changed') changes.push(hosts());
    },
    defect: (error) => t.fail(`a defect: ${String(error)}`),
  });
  t.teardown(() => follower.stop());
  void follower.start();
  return { follower, changes, answers: () => answers, hosts };
}

/** `3` of 10.0.0.3:5432 */
function lastByte(member: Parameters<typeof memberKey>[0]): string {
  return memberKey(member).replace(/^10\.0\.\d+\.(\d+):5432$/, '$1');
}

function hosts(...bytes: readonly number[]): readonly string[] {
  return bytes.map((byte) => `10.0.0.${byte}`);
}

const reached = (what: string, holds: () => boolean): Promise<true> =>
  eventually(what, () => (holds() ? true : undefined));

for (const kind of Object.keys(PEERS) as SourceKind[]) {
  t.test(`${kind} tells who is there, who comes and who goes`, async (t) => {
    const peer = await PEERS[kind](t);
    peer.tell(hosts(1, 2, 3));
    const one = follow(t, peer);
    await reached('three', () => one.hosts() === '1 2 3');
    peer.tell(hosts(4, 3, 2));
    await reached('two of three', () => one.hosts() === '2 3 4');
    t.equal(one.follower.view.doubt, null);
    t.same(one.follower.view.leftOut, []);
  });

  t.test(`${kind}: no wrong answer takes anybody away, and each has its name`, async (t) => {
    const peer = await PEERS[kind](t);
    for (const [name, { begin, failure }] of peer.wrong) {
      peer.tell(hosts(1, 2, 3, 4));
      const one = follow(t, peer);
      await reached(`${name}: four`, () => one.hosts() === '1 2 3 4');
      begin();
      await reached(`${name}: ${failure}`, () => one.follower.view.doubt?.kind === 'failed');
      t.match(one.follower.view.doubt, { kind: 'failed', failure, problem: /\w/ }, name);
      t.equal(one.hosts(), '1 2 3 4', name);
      one.follower.stop();
    }
  });

  t.test(`${kind} is believed again when it is right again`, async (t) => {
    const peer = await PEERS[kind](t);
    const one = follow(t, peer);
    await reached('a failure', () => one.follower.view.doubt?.kind === 'failed');
    t.equal(one.hosts(), '');
    peer.tell(hosts(1));
    await reached('the first answer', () => one.hosts() === '1');
    peer.tell([]);
    await reached('an empty answer', () => one.follower.view.doubt?.kind === 'empty');
    peer.tell(hosts(1, 2));
    await reached('a better one', () => one.hosts() === '1 2');
    t.same(one.changes, ['1', '1 2']);
  });

  t.test(
    `${kind}: what it says twice counts once, and a socket only where it is local`,
    async (t) => {
      const peer = await PEERS[kind](t);
      peer.tell([...hosts(1, 2, 1), ...(peer.socket === null ? [] : [peer.socket])]);
      const one = follow(t, peer);
      await reached('an answer', () => one.answers() > 0);
      const { view, members } = one.follower;
      const isFile = kind === 'file';
      t.equal(members.length, isFile ? 3 : 2);
      t.equal(
        members.some(({ address }) => address.kind === 'unix'),
        isFile,
      );
      const isTold = peer.socket !== null && !isFile;
      t.match(view.leftOut, isTold ? [/^unix:.*: only a file may name UNIX sockets$/] : []);
    },
  );

  t.test(`${kind}: more members than the limit change nothing`, async (t) => {
    const peer = await PEERS[kind](t);
    peer.tell(hosts(1, 2));
    const one = follow(t, peer);
    await reached('two', () => one.hosts() === '1 2');
    peer.tell(Array.from({ length: peer.most }, (_, n) => `10.${n >> 8}.0.${n & 255}`));
    await reached('too many', () => one.follower.view.doubt?.kind === 'failed');
    t.match(one.follower.view.doubt, {
      failure: 'too-much',
      problem: `it names ${peer.most}, of 1024 at most`,
    });
    t.equal(one.hosts(), '1 2');
  });

  t.test(
    `${kind}: a source that flaps is asked a few times a second, and takes none`,
    async (t) => {
      const peer = await PEERS[kind](t);
      peer.tell(hosts(1, 2, 3, 4));
      const one = follow(t, peer);
      await reached('four', () => one.hosts() === '1 2 3 4');
      const before = one.answers();
      await atRate(20 * TIMES, 1_000, (turn) =>
        peer.tell(turn % 2 === 0 ? [] : hosts(1 + (turn % 4))),
      );
      // Ten seconds, of which each may have four questions and two looks at time.
      t.ok(one.answers() - before <= 10 * 6 + 6, `${one.answers() - before} answers`);
      t.match(one.hosts(), /^\d( \d)*$/);
      peer.tell(hosts(1, 2, 3, 4));
      await reached('four again', () => one.hosts() === '1 2 3 4');
    },
  );

  t.test(`${kind}: what is repeated for long enough counts`, async (t) => {
    const peer = await PEERS[kind](t);
    peer.tell(hosts(1, 2, 3, 4));
    const one = follow(t, peer);
    await reached('four', () => one.hosts() === '1 2 3 4');
    peer.tell(hosts(9));
    await reached('a suspicion', () => one.follower.view.doubt?.kind === 'suspicious');
    t.match(one.follower.view.doubt, { of: 4, missing: { length: 4 } });
    await reached('it counts', () => one.hosts() === '9');
    t.same(one.changes, ['1 2 3 4', '9']);
  });
}
