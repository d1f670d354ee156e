/** What a backend's row says, in every state that it can have: all verdicts side by side. */
import t from 'tap';
import type { BackendId, WorkerId } from '../../src/core/brand.js';
import {
  type BackendCondition,
  conditionOf,
  ineligible,
  isAnswering,
  isUsable,
  mayStay,
  proofOf,
  type Wellness,
  wellnessOf,
} from '../../src/pool/eligibility.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';

const ID = 7 as BackendId;
const WORKER = 0 as WorkerId;
const HEALTH = ['unproven', 'up', 'down', 'standby'] as const;
const memory = createLedgerMemory();
const CLOSED = ['removed', 'expired'] as const;

interface Row {
  readonly health: (typeof HEALTH)[number];
  readonly ejected: boolean;
  readonly gone: (typeof CLOSED)[number] | null;
  readonly weight: 0 | 1;
  readonly full: boolean;
}

/** Of a backend with weight, and in the file, below its cap. */
const TABLE: readonly (readonly [
  health: Row['health'],
  ejected: boolean,
  condition: BackendCondition,
  wellness: Wellness,
  eligible: 'always' | 'in panic' | 'never',
])[] = [
  ['up', false, 'up', 'well', 'always'],
  ['up', true, 'ejected', 'unwell', 'in panic'],
  ['down', false, 'down', 'unwell', 'in panic'],
  ['down', true, 'down', 'unwell', 'in panic'],
  ['standby', false, 'standby', 'unfit', 'never'],
  ['standby', true, 'standby', 'unfit', 'never'],
  ['unproven', false, 'unproven', 'well', 'never'],
  ['unproven', true, 'ejected', 'unwell', 'never'],
];

for (const [health, ejected, condition, wellness, eligible] of TABLE) {
  t.test(`${health}${ejected ? ', ejected' : ''}: ${wellness}, eligible ${eligible}`, async (t) => {
    const ledger = ledgerWith({ health, ejected, gone: null, weight: 1, full: false });
    t.equal(conditionOf(ledger, ID), condition);
    t.equal(wellnessOf(ledger, ID), wellness);
    t.equal(ineligible(ledger, ID, null, 'health') === null, eligible === 'always');
    t.equal(ineligible(ledger, ID, null, 'panic') === null, eligible !== 'never');
    t.equal(isUsable(ledger, ID), health === 'up');
    t.equal(mayStay(ledger, ID), health === 'up' || health === 'unproven');
    t.equal(isAnswering(ledger, ID), health === 'up' || health === 'standby');
  });
}

t.test('no two verdicts on a backend contradict each other, in any state', async (t) => {
  for (const row of rows()) {
    const ledger = ledgerWith(row);
    const told = JSON.stringify(row);
    const [reason, inPanic] = (['health', 'panic'] as const).map((regard) =>
      ineligible(ledger, ID, null, regard),
    );
    const serves = reason === null || reason === 'full';
    const isOut = row.ejected;
    t.equal(serves, isUsable(ledger, ID) && !isOut, `it serves where it is usable and in: ${told}`);
    t.ok(!serves || wellnessOf(ledger, ID) === 'well', `what serves is well: ${told}`);
    t.ok(!serves || mayStay(ledger, ID), `what serves keeps its sessions: ${told}`);
    t.ok(!isUsable(ledger, ID) || isAnswering(ledger, ID), `what is usable answers: ${told}`);
    const proof = proofOf(ledger, ID, () => 'health');
    t.equal(proof === 'serves', isUsable(ledger, ID), `what serves is usable: ${told}`);
    t.equal(/serves|answers/.test(proof), isAnswering(ledger, ID), `a proof is an answer: ${told}`);
    const inNeed = proofOf(ledger, ID, () => 'panic');
    t.equal(
      inNeed,
      proof === 'down' ? 'answers' : proof,
      `panic uses those that are down: ${told}`,
    );
    t.ok(reason !== null || inPanic === null, `panic adds to what is eligible: ${told}`);
    t.ok(inPanic !== null || wellnessOf(ledger, ID) !== 'unfit', `panic takes no unfit: ${told}`);
    t.equal(
      reason === null,
      conditionOf(ledger, ID) === 'up' && row.gone === null && row.weight > 0,
      `up, in the file and with a weight is eligible, and nothing else: ${told}`,
    );
  }
});

function* rows(): Iterable<Row> {
  for (const health of HEALTH) {
    for (const ejected of [false, true]) {
      for (const gone of [null, ...CLOSED]) {
        for (const weight of [0, 1] as const) {
          for (const full of [false, true]) yield { health, ejected, gone, weight, full };
        }
      }
    }
  }
}

function ledgerWith({ health, ejected, gone, weight, full }: Row): Ledger {
  const ledger = new Ledger(memory);
  while (ledger.active(ID) > 0) ledger.giveBack(ID, WORKER);
  ledger.resetBackend(ID);
  ledger.setHealth(ID, health);
  ledger.setWeight(ID, weight);
  if (ejected) ledger.setClosed(ID, 'ejected');
  if (gone !== null) ledger.setClosed(ID, gone);
  ledger.setCap(ID, 1);
  if (full) ledger.tryTake(ID, WORKER);
  return ledger;
}
