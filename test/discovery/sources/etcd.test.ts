/** Keys of etcd: what a value may say, and what a compaction, a restart and a password do. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { EtcdSourceSpec } from '../../../src/core/discovery_spec.js';
import { etcdSource } from '../../../src/discovery/sources/etcd.js';
import { freePort, tempFolder } from '../../support/places.js';
import { FakeEtcd } from '../../support/servers/fake_etcd.js';
import { wrongServer } from '../../support/servers/wrong_http.js';
import { asked, DEPS, texts } from './asked.js';

async function etcdFor(t: Test, more: Partial<EtcdSourceSpec> = {}) {
  const server = await wrongServer(t);
  const etcd = new FakeEtcd();
  server.serves(etcd.handle);
  const spec: EtcdSourceSpec = {
    kind: 'etcd',
    urls: [`http://127.0.0.1:${await freePort()}`, server.origin],
    prefix: '/pg/',
    user: null,
    passwordFile: null,
    caFile: null,
  };
  const source = etcdSource({ ...spec, ...more }, DEPS);
  return { server, etcd, ask: asked(source) };
}

t.test(
  'a value is an address or JSON, and one that cannot be read is left out alone',
  async (t) => {
    const { etcd, ask } = await etcdFor(t);
    etcd.put(
      new Map([
        ['/pg/1', '10.0.0.1:5432'],
        ['/pg/2', '{"address": "[::1]:5432", "name": "b", "weight": 3, "backup": true}'],
        ['/pg/3', '{"address": "10.0.0.3:5432"'],
        ['/pg/4', '{"address": "10.0.0.4:5432", "weight": 1001}'],
        ['/pg/5', ''],
      ]),
    );
    const answer = await ask();
    t.same(texts(answer), ['10.0.0.1:5432', '[::1]:5432 b weight 3 backup']);
    t.match(answer, {
      leftOut: [
        '/pg/3: its value is no JSON, or only a part of it',
        '/pg/4: its weight is no number from 0 to 1000',
        '/pg/5: "": no port',
      ],
    });
  },
);

t.test('a watch rings at a change, also at one that came before it began', async (t) => {
  const { etcd, ask } = await etcdFor(t);
  await ask();
  etcd.put(new Map([['/pg/1', '10.0.0.1:5432']]));
  t.same(texts(await ask()), ['10.0.0.1:5432']);
  const later = ask();
  etcd.put(new Map());
  t.same(texts(await later), []);
  t.same(etcd.asked, ['range', 'watch', 'range', 'watch', 'range'].map(pathOf));
});

t.test('what was compacted is read again, and no more often than every two seconds', async (t) => {
  const { etcd, ask } = await etcdFor(t);
  etcd.put(new Map([['/pg/1', '10.0.0.1:5432']]));
  await ask();
  etcd.compact();
  etcd.compact();
  const answer = await ask();
  t.same(texts(answer), ['10.0.0.1:5432']);
  t.ok(answer.kind === 'members' && answer.againMs > 1_000);
});

t.test('a server that restarts is asked again, with a new token', async (t) => {
  const passwordFile = join(tempFolder(t), 'password');
  writeFileSync(passwordFile, 'right\n');
  const { etcd, ask } = await etcdFor(t, { user: 'sluice', passwordFile });
  etcd.token = 'first';
  etcd.put(new Map([['/pg/1', '10.0.0.1:5432']]));
  t.same(texts(await ask()), ['10.0.0.1:5432']);
  const later = ask();
  etcd.token = 'second';
  etcd.put(new Map([['/pg/2', '10.0.0.2:5432']]));
  t.same(texts(await later), ['10.0.0.2:5432']);
  writeFileSync(passwordFile, 'wrong\n');
  etcd.token = 'third';
  etcd.release();
  t.match(texts(await ask()), /^(?:refused: .*authentication failed|unreachable: )/);
});

function pathOf(name: string): string {
  return name === 'watch' ? '/v3/watch' : '/v3/kv/range';
}
