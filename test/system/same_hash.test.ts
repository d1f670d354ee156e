/** Daemons that do not know of each other send the same client to the same backend. */
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { type Daemon, startDaemon } from '../support/daemon.js';
import { serviceText } from '../support/settings.js';
import { dial } from '../support/wire.js';

const CLIENTS = Array.from({ length: 24 }, (_, index) => `127.0.1.${index + 1}`);

for (const algorithm of ['maglev', 'ring']) {
  t.test(`${algorithm}: the same table from the same backends, in whichever order`, async (t) => {
    const backends: { name: string; address: string }[] = [];
    for (const name of ['b0', 'b1', 'b2', 'b3', 'b4']) {
      backends.push({ name, address: await startNamed(t, name) });
    }
    const lines = `[pools.app.hash]\nalgorithm = "${algorithm}"\nbalance_factor = 0`;
    const service = { name: 'app', policy: 'source-hash', lines, health: 'probe = "none"\n' };
    const one = await startDaemon(t, { toml: serviceText({ ...service, backends }) });
    const other = await startDaemon(t, {
      toml: serviceText({ ...service, backends: backends.toReversed() }),
    });
    const chosen = await choices(t, one);
    t.same(await choices(t, other), chosen);
    t.ok(new Set(chosen).size > 1, 'and not one backend for all');
  });
}

/** A server that says its name. */
async function startNamed(t: Test, name: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(name);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return `127.0.0.1:${address.port}`;
}

async function choices(t: Test, daemon: Daemon): Promise<string[]> {
  const port = await daemon.port('app');
  const names: string[] = [];
  for (const localAddress of CLIENTS) {
    const wire = await dial(t, { port, localAddress });
    names.push((await wire.readAll()).text);
    wire.finish();
    await wire.closed;
  }
  return names;
}
