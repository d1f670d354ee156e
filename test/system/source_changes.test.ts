/**
 * Sources that a reload changes while none answers: their pools go on with the members that they
 * knew.
 */
import t from 'tap';
import { startOperated } from '../support/ctl.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { exchangeOnce } from '../support/load/short_connections.js';
import { wrongServer } from '../support/servers/wrong_http.js';
import { serviceText } from '../support/settings.js';

function service(name: string, url: string): string {
  const source = `kind = "http"\nurl = "${url}/list"\ninterval = "1s"`;
  return serviceText({ name, backends: [], sections: `[[pools.${name}.discovery]]\n${source}\n` });
}

t.test('a source in the place of another one begins with the members of that one', async (t) => {
  const [a, b] = await startEchoes(t, 2);
  if (!a || !b) throw new Error('two are needed');
  const [first, second] = [await wrongServer(t), await wrongServer(t)];
  first.says(JSON.stringify([{ targets: [a.address, b.address] }]));
  second.wrong.get('gone')?.begin();
  const { daemon, ask } = await startOperated(t, { toml: service('p', first.origin) });
  await daemon.backendsUp('p', 2);
  const target = { port: await daemon.port('p') };

  t.match(await daemon.reload(service('p', second.origin)), { event: 'reloaded' });
  await daemon.event('discovery-failed', ({ source }) => source === `http ${second.origin}/list`);
  t.same(daemon.eventsNamed('backend-removed'), []);
  t.equal(await exchangeOnce(target), null);
  t.match(await ask('discovery'), {
    items: [{ pool: 'p', state: 'failed', members: 2, reason: /was here before it serve until/ }],
  });

  const { trouble } = await ask<{ readonly trouble: readonly string[] }>('status');
  t.match(trouble, [/^pool p: source http .* is failed: /]);

  second.says(JSON.stringify([{ targets: [b.address] }]));
  t.match(await daemon.event('discovery-changed', ({ added }) => String(added) === ''), {
    source: `http ${second.origin}/list`,
    removed: [a.address],
    backends: 1,
  });
  t.match(await ask('discovery'), { items: [{ state: 'good', members: 1, reason: '' }] });

  second.wrong.get('gone')?.begin();
  await daemon.nextEvent('discovery-failed');
  t.match(await daemon.reload(service('q', second.origin)), { event: 'reloaded', added: /q/ });
  await daemon.backendsUp('q', 1);
  t.equal(await exchangeOnce({ port: await daemon.port('q') }), null, 'by another name');
});
