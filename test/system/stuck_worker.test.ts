/** A worker that neither answers nor ends: changes do not wait for it, and say so. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { askControl } from '../support/control_client.js';
import { startOperated } from '../support/ctl.js';
import { ENGINE } from '../support/daemon.js';
import { eventually } from '../support/deadline.js';
import { PLACE_VARIABLE, STICK_VARIABLE, VICTIM } from '../support/defects.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { tempFolder } from '../support/places.js';
import { serviceText } from '../support/settings.js';
import { dial } from '../support/wire.js';

const EVERY_THREAD = new URL('../support/defects.js', import.meta.url);

t.test(`${ENGINE}: a worker that is stuck holds up no change, and none is lost`, async (t) => {
  const [echo, other] = await startEchoes(t, 2);
  if (echo === undefined || other === undefined) throw new Error('there are two');
  const fifo = join(tempFolder(t), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const backends = [echo, other].map(({ address }, index) => ({ name: `b${index}`, address }));
  // Its weights are in a table that each worker makes: they come with a plan.
  const policy = 'source-hash';
  const { daemon, socket } = await startOperated(t, {
    workers: 2,
    everyThread: EVERY_THREAD,
    env: { [PLACE_VARIABLE]: 'stick', [STICK_VARIABLE]: fifo },
    expects: ['internal-error', 'worker-lost'],
    toml: serviceText({ name: 'app', policy, backends, health: 'probe = "none"' }),
  });
  /** Where it is not in force, in the words of the answer. */
  const weight = async (value: number): Promise<readonly string[]> => {
    const answer = await askControl(socket, 'POST', '/v1/weight', { backends: ['app/b0'], value });
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    const { notes } = answer.body as { readonly notes: readonly string[] };
    return notes.filter((one) => one.startsWith('Not in force'));
  };
  t.same(await weight(5), []);

  const port = await daemon.port('app');
  const victim = await dial(t, { port, localAddress: VICTIM });
  // It is asked for while it is not known yet that the worker will not answer.
  const missing = await weight(7);
  await daemon.event('worker-stuck');
  t.match(missing, [/^Not in force everywhere: worker \d neither answers nor ends/]);
  t.match(await weight(9), [/^Not in force everywhere/], 'and so does a later one');
  const wire = await dial(t, { port });
  await wire.send('served');
  t.equal(await wire.readText(6), 'served', 'others are served meanwhile');

  writeFileSync(fifo, '');
  await daemon.event('worker-lost');
  await daemon.event('worker-started');
  await victim.ended;
  await eventually(
    'it is in force there, too',
    async () => (await weight(9)).length === 0 || undefined,
  );
  const { body } = await askControl(socket, 'GET', '/v1/overrides');
  t.match(body, { items: [{ backend: 'app/b0', value: 9 }] }, 'nothing was lost');
});
