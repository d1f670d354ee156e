/** What clients say first, changed in every way: test/fuzz has it, and sends more of it by hand. */
import t from 'tap';
import { bombard, fuzzBed } from '../fuzz/bombard.js';
import { startDaemon } from '../support/daemon.js';

/** The same in each run; `npm run fuzz` draws others. */
const SEED = 1;
const MESSAGES = 1_500;
/** Ends that must occur among all these messages. */
const ENDS = [
  ...['finished', 'client-gone', 'hello-timeout', 'no-route', 'not-postgres'],
  ...['bad-proxy-header', 'cancel-handed-on'],
];

t.test('whatever a client says first, it ends alone and leaves nothing behind', async (t) => {
  const daemon = await startDaemon(t, {
    workers: 2,
    access: 'off',
    toml: await fuzzBed(t),
  });
  const tally = await bombard(daemon, { messages: MESSAGES, seed: SEED, atOnce: 300 });
  t.same(tally.findings, []);
  t.ok(tally.bystander.turns > 0);
  t.same(
    ENDS.filter((end) => !tally.ends.has(end)),
    [],
    JSON.stringify([...tally.ends]),
  );
});
