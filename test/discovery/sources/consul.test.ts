/** Services of Consul: how it is waited for news, and what an answer means. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ConsulSourceSpec } from '../../../src/core/discovery_spec.js';
import { consulSource } from '../../../src/discovery/sources/consul.js';
import { tempFolder } from '../../support/places.js';
import { FakeConsul, instance } from '../../support/servers/fake_consul.js';
import { wrongServer } from '../../support/servers/wrong_http.js';
import { asked, DEPS, texts } from './asked.js';

async function consulFor(t: Test, more: Partial<ConsulSourceSpec> = {}) {
  const server = await wrongServer(t);
  const consul = new FakeConsul(DEPS.timers);
  server.serves(consul.handle);
  const spec = {
    kind: 'consul',
    url: server.origin,
    service: 'pg',
    tag: null,
    consistency: 'default',
    tokenFile: null,
    caFile: null,
  } as const;
  return { server, consul, ask: asked(consulSource({ ...spec, ...more }, DEPS)) };
}

t.test('a later question waits until something has changed, for half a minute', async (t) => {
  const { consul, ask } = await consulFor(t);
  consul.tell([instance('10.0.0.1', 5_432)]);
  t.same(texts(await ask()), ['10.0.0.1:5432 pg-10.0.0.1']);
  const later = ask();
  consul.tell([instance('10.0.0.2', 5_432)]);
  t.same(texts(await later), ['10.0.0.2:5432 pg-10.0.0.2']);
  t.same(texts(await ask()), ['10.0.0.2:5432 pg-10.0.0.2'], 'without any change');
  t.same(
    consul.asked.map((query) => [query.get('passing'), query.get('index'), query.get('wait')]),
    [
      ['1', null, null],
      ['1', '101', '30s'],
      ['1', '102', '30s'],
    ],
  );
});

t.test('an index that falls is not waited for', async (t) => {
  const { consul, ask } = await consulFor(t);
  consul.tell([instance('10.0.0.1', 5_432)]);
  await ask();
  const later = ask();
  consul.restore(7);
  t.same(texts(await later), ['10.0.0.1:5432 pg-10.0.0.1']);
  await ask();
  t.same(
    consul.asked.map((query) => query.get('index')),
    [null, '101', null],
  );
});

t.test('an answer that leaves out what a token may not read changes nothing', async (t) => {
  const { consul, ask } = await consulFor(t);
  consul.filtered = 'yes';
  t.match(texts(await ask()), /^refused: .* leaves out what its token may not read$/);
});

t.test('tag, stale and token are sent; the token is read each time', async (t) => {
  const tokenFile = join(tempFolder(t), 'token');
  writeFileSync(tokenFile, 'first\n');
  const { consul, ask } = await consulFor(t, { tag: 'v 2', consistency: 'stale', tokenFile });
  await ask();
  writeFileSync(tokenFile, 'second\n');
  consul.restore(1_000);
  await ask();
  t.same(consul.tokens, ['first', 'second']);
  t.match(consul.asked[0]?.toString(), 'passing=1&tag=v+2&stale=');
});

t.test('weights above 1000 shrink together, and an own address goes first', async (t) => {
  const { consul, ask } = await consulFor(t);
  consul.tell([
    instance('10.0.0.1', 5_432, { weight: 50_000, address: '2001:db8::1' }),
    instance('10.0.0.2', 5_432, { weight: 25_000 }),
    instance('10.0.0.3', 5_432, { weight: 1, id: 'a name' }),
    instance('10.0.0.4', 0),
  ]);
  const answer = await ask();
  t.same(texts(answer), [
    '[2001:db8::1]:5432 pg-10.0.0.1 weight 1000',
    '10.0.0.2:5432 pg-10.0.0.2 weight 500',
    '10.0.0.3:5432',
  ]);
  t.match(answer, { leftOut: ['pg-10.0.0.4: port 0 cannot be connected to'] });
});
