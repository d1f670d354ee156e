/** A source that names the listener itself: no session is led in a circle. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startOperated } from '../support/ctl.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { shortConnections } from '../support/load/short_connections.js';
import { freePort, tempFolder } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';

t.test('a member that is the listener itself is left out, and reported', async (t) => {
  const [a] = await startEchoes(t, 1);
  if (!a) throw new Error('one is needed');
  const port = await freePort();
  const path = join(tempFolder(t), 'members');
  const put = (...lines: readonly string[]): void => {
    writeFileSync(`${path}.new`, `${lines.join('\n')}\n`);
    renameSync(`${path}.new`, path);
  };
  const circles = [`0.0.0.0:${port}`, `127.0.0.1:${port}`];
  put(a.address, ...circles);
  const source = `kind = "file"\npath = "${path}"\nhold = "0s"\nconfirm = "100ms"`;
  const toml =
    listenerText({ pool: 'p', bind: `0.0.0.0:${port}` }) +
    poolText({ name: 'p', backends: [], sections: `[[pools.p.discovery]]\n${source}\n` });
  const { daemon, ask } = await startOperated(t, { toml });
  const problems = circles.map((address) => `${address} is listener p itself`);
  t.match(await daemon.event('discovery-left-out'), { pool: 'p', problems });
  t.match(await ask('discovery'), {
    items: [{ state: 'good', members: 1, reason: /left out: 0\.0\.0\.0:\d+ is listener p itself/ }],
  });
  await daemon.backendsUp('p', 1);
  const target = { port };
  t.same((await shortConnections(target, 50, 500)).failures, []);
  // The record is moved to the balancer: a member that is well goes on.
  put(circles[0] ?? '');
  await daemon.event('discovery-contradicted');
  t.same((await shortConnections(target, 50, 500)).failures, []);
  t.same(daemon.eventsNamed('listener-full'), []);
});
