/** Keys of etcd: what a value may say, and what a compaction, a restart and a password do. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { EtcdSourceSpec } from '../../../src/core/discovery_spec.js';
import { etcdSource } from '../../../src/discovery/sources/etcd.js';
import { freePort, tempFolder } from '../../support/places.js';
import { FakeEtcd } from '../../support/servers/fake_etcd.js';
import { wrongServer } from '../../support/servers/wrong_http.js';
import { asked, DEPS, TIMELESS, texts } from './asked.js';

async function etcdFor(t: Test, more: Partial<EtcdSourceSpec> = {}, deps = DEPS) {
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
  const source = etcdSource({ ...spec, ...more }, deps);
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

t.test(
  'where no watch is possible keys are read less and less often, and that is reported',
  async (t) => {
    const { server, etcd, ask } = await etcdFor(t, {}, TIMELESS);
    etcd.put(new Map([['/pg/1', '10.0.0.1:5432']]));
    server.serves((request, response) => {
      if (request.url === '/v3/watch') response.writeHead(501).end();
      else etcd.handle(request, response);
    });
    await ask();
    const waits: number[] = [];
    const remarks: number[] = [];
    for (let turn = 0; turn < 6; turn++) {
      const answer = await ask();
      if (answer.kind !== 'members') throw new Error('it has members');
      waits.push(answer.againMs);
      remarks.push(answer.remarks.length);
      if (turn === 5)
        t.match(answer.remarks, [/changes cannot be followed \(the watch answers 501\)/]);
    }
    t.ok(
      waits.every((wait, at) => wait > Math.min(11_999, 1.3 * (waits[at - 1] ?? 0))),
      `${waits}`,
    );
    t.same(remarks, [0, 0, 1, 1, 1, 1]);
    server.serves(etcd.handle);
    etcd.put(new Map([['/pg/2', '10.0.0.2:5432']]));
    t.match(await ask(), { againMs: 0, remarks: [] });
  },
);

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
  t.match(texts(await ask()), /^(?:refused: [^/]*authentication failed|unreachable: )/);
});

function pathOf(name: string): string {
  return name === 'watch' ? '/v3/watch' : '/v3/kv/range';
}
