import t from 'tap';
import { below, seededRandom } from '../../../src/core/random.js';
import { Inbox } from '../../../src/health/probes/inbox.js';
import { seed } from '../../support/seed.js';

t.comment(`SEED=${seed}`);

t.test('bytes come out as they went in, and what was taken stays as it was', async (t) => {
  const random = seededRandom(seed);
  const inbox = new Inbox(1_000_000);
  const sent: Buffer[] = [];
  const taken: Buffer[] = [];
  for (let round = 0; round < 300; round++) {
    const chunk = Buffer.from(Array.from({ length: below(random, 200) }, () => below(random, 256)));
    sent.push(chunk);
    t.equal(inbox.append(chunk), true);
    taken.push(inbox.take(below(random, 200)));
  }
  taken.push(inbox.take(1_000_000));
  t.equal(Buffer.compare(Buffer.concat(taken), Buffer.concat(sent)), 0);
  t.equal(inbox.unread.length, 0);
});

t.test('the limit counts everything that ever came, also what was taken', async (t) => {
  const inbox = new Inbox(10);
  t.equal(inbox.append(Buffer.from('123456')), true);
  inbox.take(6);
  t.equal(inbox.append(Buffer.from('78901')), false);
  t.equal(inbox.append(Buffer.from('7890')), true);
  t.equal(inbox.append(Buffer.from('1')), false);
});
