import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  DESCRIPTORS_PER_SOCKET,
  divideDescriptors,
  sessionDescriptors,
} from '../../src/control/descriptor_budget.js';
import { DescriptorShares } from '../../src/control/descriptor_shares.js';
import { ListeningSockets } from '../../src/control/listening_sockets.js';
import { listenerKey } from '../../src/core/identity.js';
import { loadKernel } from '../../src/kernel/foreign.js';
import { DESCRIPTOR_CELLS, DescriptorLedger } from '../../src/pool/descriptor_ledger.js';
import { tempFolder } from '../support/places.js';
import { listenerSpec, spec } from './fixtures.js';

const loaded = loadKernel();
const kernel = loaded.ok ? loaded.value : null;

t.test('what is opened again in the place of a removed socket file is counted', async (t) => {
  const path = join(tempFolder(t), 'x.sock');
  const listener = listenerSpec('x', 'p', { bind: [{ kind: 'unix', path }] });
  const wanted = spec([], [listener]);
  const sockets = new ListeningSockets(kernel, 1);
  const budget = divideDescriptors(1024, 1, 'node');
  const descriptors = new DescriptorLedger(new Int32Array(DESCRIPTOR_CELLS));
  const shares = new DescriptorShares({ budget, workers: 1, descriptors, sockets });
  const beside = (count: number): number =>
    sessionDescriptors(budget, count * DESCRIPTORS_PER_SOCKET);

  t.ok(shares.make(wanted, 'open again').ok);
  t.equal(descriptors.allowed, beside(1), 'ahead of its opening');
  await sockets.open(listenerKey(listener), listener);
  t.ok(shares.make(wanted, 'open again').ok);
  t.equal(descriptors.allowed, beside(1), 'it is open');
  unlinkSync(path);
  t.ok(shares.make(wanted, 'leave').ok);
  t.equal(descriptors.allowed, beside(1));
  t.ok(shares.make(wanted, 'open again').ok);
  t.equal(descriptors.allowed, beside(2), 'the old one is open until the workers have left it');
  await sockets.open(listenerKey(listener), listener, () => listener, 'open again');
  shares.settle();
  t.equal(descriptors.allowed, beside(2));
  sockets.retireAll(() => listener);
  shares.settle();
  t.equal(descriptors.allowed, beside(1));
  sockets.closeAll();
});
