/** A real etcd: that its gateway says what the source reads, also of what is gone. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { EtcdSourceSpec } from '../../../src/core/discovery_spec.js';
import { seededRandom } from '../../../src/core/random.js';
import { etcdSource } from '../../../src/discovery/sources/etcd.js';
import { Redactor } from '../../../src/secrets/redactor.js';
import { eventually } from '../../support/deadline.js';
import { fastTime } from '../../support/fast_time.js';
import { tempFolder } from '../../support/places.js';
import { haveServers } from '../../support/require_server.js';
import { startEtcd } from '../../support/servers/etcd.js';
import { asked, texts } from './asked.js';

/** A real server keeps real time. */
const DEPS = { ...fastTime(1), random: seededRandom(1), redactor: new Redactor() };

async function etcdFor(t: Test, more: Partial<EtcdSourceSpec> = {}) {
  const etcd = await startEtcd(t);
  const spec: EtcdSourceSpec = {
    kind: 'etcd',
    urls: [etcd.origin],
    prefix: '/pg/',
    user: null,
    passwordFile: null,
    caFile: null,
  };
  return { etcd, ask: asked(etcdSource({ ...spec, ...more }, DEPS)) };
}

t.test('a watch begins where the keys were read, and what was compacted is read', async (t) => {
  if (!haveServers(t, 'etcd')) return;
  const { etcd, ask } = await etcdFor(t);
  t.same(texts(await ask()), [], 'an empty prefix is an answer');
  await etcd.put('/pg/1', '10.0.0.1:5432');
  await etcd.put('/other', '10.0.0.9:5432');
  t.same(texts(await ask()), ['10.0.0.1:5432'], 'what came between is not missed');
  const later = ask();
  await etcd.put('/pg/2', '{"address": "[::1]:5432", "name": "b", "weight": 3}');
  t.same(texts(await later), ['10.0.0.1:5432', '[::1]:5432 b weight 3']);
  await etcd.remove('/pg/1');
  await etcd.put('/pg/3', 'nonsense');
  await etcd.compact();
  const compacted = await ask();
  t.same(texts(compacted), ['[::1]:5432 b weight 3']);
  t.match(compacted, { leftOut: ['/pg/3: "nonsense": no port'] });
  const lease = await etcd.lease(2);
  const granted = ask();
  await etcd.put('/pg/4', '10.0.0.4:5432', lease);
  t.same(texts(await granted), ['[::1]:5432 b weight 3', '10.0.0.4:5432']);
  await eventually('it goes with its lease', async () =>
    texts(await ask()).length === 1 ? true : undefined,
  );
});

t.test('a token that the server has forgotten is asked for again', async (t) => {
  if (!haveServers(t, 'etcd')) return;
  const passwordFile = join(tempFolder(t), 'password');
  writeFileSync(passwordFile, 'right\n');
  const { etcd, ask } = await etcdFor(t, { user: 'sluice', passwordFile });
  await etcd.put('/pg/1', '10.0.0.1:5432');
  await etcd.protect('sluice', 'right', '/pg/');
  t.same(texts(await ask()), ['10.0.0.1:5432']);
  const cut = ask();
  await etcd.kill();
  t.match(texts(await cut), /^unreachable: /);
  await etcd.start();
  t.same(texts(await ask()), ['10.0.0.1:5432'], 'by a new token');
  writeFileSync(passwordFile, 'wrong\n');
  await etcd.kill();
  t.match(texts(await ask()), /^unreachable: /);
  await etcd.start();
  t.match(texts(await ask()), /^refused: .*authentication failed/);
});
