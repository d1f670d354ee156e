import t from 'tap';
import {
  divideDescriptors,
  listeningDescriptors,
  MAX_SESSIONS,
  sessionDescriptors,
  tooManySockets,
} from '../../src/control/descriptor_budget.js';
import { DESCRIPTORS_PER_PIPE } from '../../src/engine/engine.js';

/** Measured on both engines: what a daemon without listeners and clients has open. */
const atRest = (workers: number): number => 22 + 6 * workers;

t.test('all shares together are never more than the limit, whatever it is', async (t) => {
  for (const engine of ['uring', 'node'] as const) {
    for (const workers of [1, 2, 7, 64]) {
      for (let limit = 128; limit < 3_000_000; limit = Math.ceil(limit * 1.37)) {
        const budget = divideDescriptors(limit, workers, engine);
        const pipes = budget.pipesAWorker * workers * DESCRIPTORS_PER_PIPE;
        const observers = budget.probes + budget.adminConnections + budget.reload;
        const sum = atRest(workers) + observers + pipes + budget.shared;
        const what = `${limit} files, ${workers} workers, ${engine}: ${sum}`;
        // What is not enough for the threads themselves still serves some clients.
        const enough = limit >= atRest(workers) + 64;
        if (enough && sum > limit) t.fail(what);
        if (budget.sessions < 1 || budget.probes < 1 || budget.adminConnections < 1) t.fail(what);
        if (engine === 'node' && pipes !== 0) t.fail(what);
      }
    }
  }
  t.pass('none is more');
});

t.test('sessions have most of the limit, and a limit of their own', async (t) => {
  t.equal(divideDescriptors(256, 2, 'node').sessions, 75 + 6);
  t.equal(divideDescriptors(65_536, 2, 'uring').sessions, (65_536 - 40 - 768 - 1024) / 2);
  const unlimited = divideDescriptors(Number.POSITIVE_INFINITY, 2, 'uring');
  t.same([unlimited.sessions, unlimited.pipesAWorker], [MAX_SESSIONS, 256]);
  t.equal(divideDescriptors(1, 1, 'uring').sessions, 1);
});

t.test('listening sockets are taken from what sessions have', async (t) => {
  const budget = divideDescriptors(1024, 2, 'node');
  t.equal(sessionDescriptors(budget, listeningDescriptors(10, 2)), budget.shared - 60);
  t.equal(sessionDescriptors(budget, 10_000), 2, 'one session is always served');
});

t.test('too many listening sockets are refused with the numbers and the remedy', async (t) => {
  const budget = divideDescriptors(256, 2, 'node');
  t.equal(tooManySockets(budget, { open: 12, wanted: 60, used: 0 }), null);
  t.match(
    tooManySockets(budget, { open: 12, wanted: 120, used: 0 }),
    /would take 120.*256.*LimitNOFILE/,
  );
  t.equal(tooManySockets(budget, { open: 120, wanted: 120, used: 90 }), null, 'nothing is opened');
});

t.test('a reload opens a few more while sessions have everything, and not many', async (t) => {
  const budget = divideDescriptors(256, 2, 'node');
  const used = sessionDescriptors(budget, 12);
  t.ok(budget.reload >= listeningDescriptors(1, 2), 'a listener can always be added');
  t.equal(tooManySockets(budget, { open: 12, wanted: 12 + budget.reload, used }), null);
  t.match(
    tooManySockets(budget, { open: 12, wanted: 12 + budget.reload + 6, used }),
    /they take 12.*reload again when 6 are closed/,
  );
});
