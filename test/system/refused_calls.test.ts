/** What the machine refuses is done without; sessions do not notice. */
import t, { type Test } from 'tap';
import { present } from '../../src/core/assert.js';
import { type Daemon, ENGINE, startDaemon } from '../support/daemon.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { MIB, payloadDigest, receiveDigest, sendPayload } from '../support/load/payload.js';
import { refuseCall, SPLICE } from '../support/refuse_call.js';
import { serviceText } from '../support/settings.js';
import { dial } from '../support/wire.js';

const BULK_BYTES = 8 * MIB;

const splice = present(SPLICE[process.arch], 'the number of splice(2) is known here');
/** SPLICE_F_MOVE | SPLICE_F_NONBLOCK: what moves bulk data, and not what is tried at the start. */
const BULK_FLAGS = 3;

t.test('where a seccomp profile refuses splice(2) bulk sessions get every byte', async (t) => {
  const daemon = await startRefused(t, refuseCall(splice));
  if (ENGINE === 'uring') await degraded(t, daemon);
  await bulkArrives(t, daemon);
  t.equal(daemon.eventsNamed('engine-degraded').length, ENGINE === 'uring' ? 1 : 0);
});

t.test('splice(2) that is refused once the daemon serves is reported, once', async (t) => {
  const daemon = await startRefused(t, refuseCall(splice, BULK_FLAGS));
  t.same(daemon.eventsNamed('engine-degraded'), []);
  await bulkArrives(t, daemon);
  if (ENGINE === 'uring') await degraded(t, daemon);
  await bulkArrives(t, daemon);
  t.equal(daemon.eventsNamed('engine-degraded').length, ENGINE === 'uring' ? 1 : 0);
});

async function startRefused(t: Test, preload: string): Promise<Daemon> {
  const echoes = await startEchoes(t, 1);
  const toml = serviceText({ name: 'echo', backends: echoes });
  const daemon = await startDaemon(t, { toml, preload });
  await daemon.backendsUp('echo', 1);
  return daemon;
}

async function degraded(t: Test, daemon: Daemon): Promise<void> {
  const { detail } = await daemon.event('engine-degraded');
  t.match(detail, /splice\(2\) is refused \(EPERM\).*seccomp/);
}

async function bulkArrives(t: Test, daemon: Daemon): Promise<void> {
  for (let seed = 1; seed <= 3; seed++) {
    const client = await dial(t, { port: await daemon.port('echo') });
    client.socket.removeAllListeners('data');
    const came = receiveDigest(client.socket, 60_000);
    await sendPayload(client.socket, BULK_BYTES, seed);
    client.finish();
    t.equal(await came, payloadDigest(BULK_BYTES, seed));
  }
}
