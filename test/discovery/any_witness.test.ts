/** What holds of the members that serve, whatever a source says in whatever order. */
import t from 'tap';
import type { Proof } from '../../src/core/proof.js';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import {
  type Member,
  membersFound,
  type SourceAnswer,
  sourceFailed,
} from '../../src/discovery/source.js';
import { seed } from '../support/seed.js';
import { answer, letters, members } from './members.js';
import { Probed, told, unprobed } from './told.js';

const ALL = 'abcdefgh';

/** Any source, however wrong, in any order. */
function anyAnswer(random: Random, orders: 'names' | 'drains' = 'names'): SourceAnswer {
  const kind = below(random, 6);
  if (kind === 0) return sourceFailed('timeout', 'mute');
  if (kind === 1) return { kind: 'unchanged', againMs: 0 };
  const said = kind === 2 ? '' : [...ALL].filter(() => random.next() < 0.6).join('');
  if (orders === 'names') return answer(said);
  const all = members(said).map((one): Member => {
    const order = below(random, 4);
    return { ...one, weight: order === 0 ? 0 : 1, wanted: order === 1 ? 'drain' : 'serve' };
  });
  return membersFound(all, 0);
}

t.test(`within the time to confirm, no source takes more than it may, seed ${seed}`, async (t) => {
  const random = seededRandom(seed);
  for (let run = 0; run < 500; run++) {
    const one = told(ALL, {}, unprobed);
    const said: string[] = [];
    for (let nowMs = 100; nowMs < 10_000; nowMs += below(random, 500)) {
      const heard = anyAnswer(random);
      said.push(heard.kind === 'members' ? letters(heard.members) : heard.kind);
      one.hear(heard, nowMs);
      const standing = letters(one.standing(nowMs));
      if (standing.length < ALL.length / 2) t.fail(`${standing} after ${said.join(' ')}`);
    }
  }
  t.pass();
});

t.test(`however long it goes on, a member stays, seed ${seed}`, async (t) => {
  const random = seededRandom(seed);
  const one = told(ALL, {}, () => (random.next() < 0.5 ? 'serves' : 'down'));
  for (let nowMs = 0, step = 0; step < 5_000; step++) {
    nowMs += below(random, 8_000);
    one.hear(anyAnswer(random), nowMs);
    if (one.standing(nowMs).length === 0) t.fail(`step ${step}`);
  }
  t.pass();
});

t.test(`no answer takes the last one that serves, seed ${seed}`, async (t) => {
  const random = seededRandom(seed);
  const proofs: readonly Proof[] = ['serves', 'serves', 'answers', 'down', 'unproven'];
  for (let run = 0; run < 300; run++) {
    const probes = new Probed();
    const rules = { confirmMs: below(random, 3) * 5_000, maxRemovedPercent: below(random, 101) };
    const one = told(ALL, rules, probes.of);
    const said: string[] = [];
    for (let nowMs = 0, step = 0; step < 60; step++) {
      nowMs += below(random, 8_000);
      const changed = ALL[below(random, ALL.length)] ?? 'a';
      const before = one.standing(nowMs);
      probes.set({ [changed]: proofs[below(random, proofs.length)] ?? 'down' });
      const heard = anyAnswer(random, 'drains');
      one.hear(heard, nowMs);
      const after = one.standing(nowMs);
      said.push(`${changed} ${probes.of(changed)}, ${heard.kind}: ${letters(after)}`);
      const serving = (all: readonly Member[]): boolean =>
        all.some(({ name, weight }) => weight > 0 && probes.of(name ?? '') === 'serves');
      if (serving(before) && !serving(after)) t.fail(`${rules.confirmMs}: ${said.join('; ')}`);
    }
  }
  t.pass();
});
