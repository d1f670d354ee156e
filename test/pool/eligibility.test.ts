import t from 'tap';
import type { BackendId, WorkerId } from '../../src/core/brand.js';
import type { Ineligible } from '../../src/core/outcome.js';
import { ineligible, type Regard } from '../../src/pool/eligibility.js';
import { createLedgerMemory, Ledger } from '../../src/pool/ledger.js';

const ID = 7 as BackendId;
const WORKER = 0 as WorkerId;

interface Case {
  readonly make: (ledger: Ledger) => void;
  readonly tried?: readonly BackendId[];
  readonly health: Ineligible | null;
  readonly panic: Ineligible | null;
}

const full = (ledger: Ledger): void => {
  ledger.setCap(ID, 1);
  ledger.tryTake(ID, WORKER);
};

const CASES: Record<string, Case> = {
  'a healthy backend': { make: () => {}, health: null, panic: null },
  'a backend that left the file': {
    make: (ledger) => ledger.setClosed(ID, 'removed'),
    health: 'drained',
    panic: 'drained',
  },
  'a backend that was drained past its time': {
    make: (ledger) => ledger.setClosed(ID, 'expired'),
    health: 'drained',
    panic: 'drained',
  },
  'a backend without weight': {
    make: (ledger) => ledger.setWeight(ID, 0),
    health: 'weight-0',
    panic: 'weight-0',
  },
  'a backend without a verdict': {
    make: (ledger) => ledger.setHealth(ID, 'unproven'),
    health: 'unproven',
    panic: 'unproven',
  },
  'a backend that is down': {
    make: (ledger) => ledger.setHealth(ID, 'down'),
    health: 'down',
    panic: null,
  },
  'an ejected backend': {
    make: (ledger) => ledger.setClosed(ID, 'ejected'),
    health: 'ejected',
    panic: null,
  },
  'a backend at its cap': { make: full, health: 'full', panic: 'full' },
  'a backend below its cap': {
    make: (ledger) => {
      full(ledger);
      ledger.setCap(ID, 2);
    },
    health: null,
    panic: null,
  },
  'a backend tried in vain': { make: () => {}, tried: [ID], health: 'tried', panic: 'tried' },
  'a backend tried in vain, and full': { make: full, tried: [ID], health: 'tried', panic: 'tried' },
  'a backend where another one was tried': {
    make: () => {},
    tried: [3 as BackendId],
    health: null,
    panic: null,
  },
  'a backend that left the file and is down': {
    make: (ledger) => {
      ledger.setClosed(ID, 'removed');
      ledger.setHealth(ID, 'down');
    },
    health: 'drained',
    panic: 'drained',
  },
};

for (const [name, { make, tried = null, ...expected }] of Object.entries(CASES)) {
  t.test(
    `${name}: ${expected.health ?? 'eligible'}, in panic ${expected.panic ?? 'eligible'}`,
    async (t) => {
      const ledger = new Ledger(createLedgerMemory());
      ledger.setWeight(ID, 1);
      ledger.setHealth(ID, 'up');
      make(ledger);
      for (const regard of ['health', 'panic'] as const satisfies readonly Regard[]) {
        t.equal(ineligible(ledger, ID, tried, regard), expected[regard], regard);
      }
    },
  );
}
