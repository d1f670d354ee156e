/** The contract of sources (discovery_suite.ts), followed as the daemon follows them. */
import type { Test } from 'tap';
import type { SourceKind, WitnessRules } from '../../src/core/discovery_spec.js';
import { seededRandom } from '../../src/core/random.js';
import { Follower, type FollowerNews } from '../../src/discovery/follower.js';
import { memberKey } from '../../src/discovery/member_sets.js';
import { createSource } from '../../src/discovery/registry.js';
import { fastTime } from '../support/fast_time.js';
import { seed } from '../support/seed.js';
import { lastByte, PEERS, type Peer, TIMES } from './discovery_peers.js';
import { contractOfSource, type Followed } from './discovery_suite.js';

for (const kind of Object.keys(PEERS) as SourceKind[]) contractOfSource(kind, PEERS[kind], follow);

function follow(t: Test, { spec: source }: Peer, rules: WitnessRules): Followed {
  const deps = { ...fastTime(TIMES), random: seededRandom(seed) };
  const changes: string[] = [];
  let answers = 0;
  const hosts = (): string =>
    follower.members.map((member) => lastByte(memberKey(member))).join(' ');
  const follower: Follower = new Follower(
    { rules },
    {
      ...deps,
      source: createSource(source, deps),
      proofOf: () => 'serves',
      news: ({ members }: FollowerNews) => {
        answers++;
        if (members === 'changed') changes.push(hosts());
      },
      defect: (error) => t.fail(`a defect: ${String(error)}`),
    },
  );
  void follower.start();
  return {
    hosts,
    changes,
    answers: () => answers,
    doubt: () => follower.view.doubt,
    names: 'the last failure',
    leftOut: () => follower.view.leftOut,
    stop: () => follower.stop(),
  };
}
