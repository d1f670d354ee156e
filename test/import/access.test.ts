/** Rules of which the first that fits decides, as lists whose most specific block decides. */
import t from 'tap';
import { below, type Random, seededRandom } from '../../src/core/random.js';
import {
  type AddressRule,
  accessLists,
  EVERYWHERE,
  ownBlockText,
} from '../../src/import/access.js';
import { seed } from '../support/seed.js';

const ROUNDS = 300;

/** Few enough addresses that blocks meet often. */
function address(random: Random): string {
  if (below(random, 4) === 0) return `2001:db8::${below(random, 8)}`;
  return `10.0.${below(random, 2)}.${below(random, 8)}`;
}

function block(random: Random): string {
  const host = address(random);
  const bits = host.includes(':') ? 124 + below(random, 5) : 22 + below(random, 11);
  return ownBlockText(`${host}/${bits}`) ?? '';
}

function isIn(host: string, one: string): boolean {
  const [base, bits] = one.split('/');
  return ownBlockText(`${host}/${bits}`) === `${base}/${bits}`;
}

function firstFit(rules: readonly AddressRule[], host: string): 'allow' | 'deny' {
  const rule = rules.find(({ fits, blocks }) => {
    return (fits === 'within') === blocks.some((one) => isIn(host, one));
  });
  return rule?.action ?? 'allow';
}

/** As the reference has it: with any entry in allow, what is in no block is refused. */
function mostSpecific(allow: readonly string[], deny: readonly string[], host: string): string {
  const bits = (one: string): number => Number(one.split('/')[1]);
  const holding = [...allow, ...deny].filter((one) => isIn(host, one));
  const [best] = holding.toSorted((one, other) => bits(other) - bits(one));
  if (best === undefined) return allow.length > 0 ? 'deny' : 'allow';
  return allow.includes(best) ? 'allow' : 'deny';
}

t.test(`both say the same of every address (SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (let round = 0; round < ROUNDS; round++) {
    const rules = Array.from({ length: 1 + below(random, 5) }, (): AddressRule => {
      const blocks = Array.from({ length: 1 + below(random, 3) }, () => block(random));
      const isAll = below(random, 6) === 0;
      return {
        action: below(random, 2) === 0 ? 'allow' : 'deny',
        fits: below(random, 4) === 0 ? 'outside' : 'within',
        blocks: isAll ? EVERYWHERE : blocks,
      };
    });
    const { allow, deny } = accessLists(rules);
    if (allow.some((one) => deny.includes(one))) return t.fail('in both', { rules, allow, deny });
    for (let i = 0; i < 40; i++) {
      const host = i === 0 ? '192.0.2.1' : i === 1 ? 'fe80::1' : address(random);
      const [wanted, found] = [firstFit(rules, host), mostSpecific(allow, deny, host)];
      if (wanted !== found) return t.fail(`${host}: ${found}`, { rules, allow, deny });
    }
  }
  return t.pass(`${ROUNDS} rounds`);
});

t.test('blocks are read as HAProxy and nginx write them', async (t) => {
  t.equal(ownBlockText('192.0.2.200/29'), '192.0.2.200/29');
  t.equal(ownBlockText('192.0.2.201/29'), '192.0.2.200/29');
  t.equal(ownBlockText('10.1.2.3'), '10.1.2.3/32');
  t.equal(ownBlockText('10.0.0.0/255.0.0.0'), '10.0.0.0/8');
  t.equal(ownBlockText('10.0.0.0/255.0.255.0'), null);
  t.equal(ownBlockText('2001:DB8::1/32'), '2001:db8::/32');
  t.equal(ownBlockText('db.example'), null);
  t.equal(ownBlockText('10.0.0.0/33'), null);
});
