/** What the machine refuses is done without; sessions do not notice. */
import t from 'tap';
import { present } from '../../src/core/assert.js';
import { ENGINE, startDaemon } from '../support/daemon.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { MIB, payloadDigest, receiveDigest, sendPayload } from '../support/load/payload.js';
import { refuseCall, SPLICE } from '../support/refuse_call.js';
import { serviceText } from '../support/settings.js';
import { dial } from '../support/wire.js';

const BULK_BYTES = 8 * MIB;

t.test('where a seccomp profile refuses splice(2) bulk sessions get every byte', async (t) => {
  const echoes = await startEchoes(t, 1);
  const splice = present(SPLICE[process.arch], 'the number of splice(2) is known here');
  const daemon = await startDaemon(t, {
    toml: serviceText({ name: 'echo', backends: echoes }),
    preload: refuseCall(splice),
  });
  await daemon.backendsUp('echo', 1);
  if (ENGINE === 'uring') {
    const { detail } = await daemon.event('engine-degraded');
    t.match(detail, /splice\(2\) is refused \(EPERM\).*seccomp/);
  }
  for (let seed = 1; seed <= 3; seed++) {
    const client = await dial(t, { port: await daemon.port('echo') });
    client.socket.removeAllListeners('data');
    const came = receiveDigest(client.socket, 60_000);
    await sendPayload(client.socket, BULK_BYTES, seed);
    client.finish();
    t.equal(await came, payloadDigest(BULK_BYTES, seed));
  }
});
