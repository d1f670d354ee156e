import t from 'tap';
import { CASE_NAMES, PEER_CASES, SYNTHETIC } from '../../benchmarks/macro/case_names.js';
import { caseOf } from '../../benchmarks/macro/cases.js';
import { versionIn } from '../../benchmarks/macro/environment.js';
import { HELP, parseOptions } from '../../benchmarks/macro/options.js';
import { orderOf } from '../../benchmarks/macro/rounds.js';
import { fillIn } from '../../benchmarks/macro/template.js';

t.test('without words everything is measured and published', async (t) => {
  const options = parseOptions([]);
  t.match(options, { pace: 'full', cases: CASE_NAMES, rounds: 9, folder: null, task: 'measure' });
});

t.test('a part never replaces published figures', async (t) => {
  for (const words of [['--quick'], ['--only', 'rr64'], ['--peer', 'haproxy,uring']]) {
    t.match(parseOptions(words), { folder: 'dist/bench' });
  }
  t.match(parseOptions(['--quick']), { cases: SYNTHETIC, rounds: 5 });
  t.match(parseOptions(['--quick', '--only', 'wrk', '--out', 'x']), {
    cases: ['wrk'],
    folder: 'x',
  });
  t.match(parseOptions(['--peer', 'uring,haproxy']), { peers: ['haproxy', 'uring'] });
  t.match(parseOptions(['--only', 'growth']), { cases: ['growth'], folder: 'dist/bench' });
});

t.test('another checkout is a peer with the engine that is compared', async (t) => {
  t.match(parseOptions(['--before', '/x']), {
    other: { folder: '/x', engine: 'uring' },
    folder: 'dist/bench',
  });
  t.match(parseOptions(['--before', '/x', '--peer', 'node']), {
    peers: ['node', 'before'],
    other: { folder: '/x', engine: 'node' },
  });
  t.match(parseOptions([]), { other: null });
  t.notOk(JSON.stringify(parseOptions([])).includes('before'));
  t.match(parseOptions(['--peer', 'before']), /no peer is called before/);
});

t.test('options without sense are reported', async (t) => {
  t.match(parseOptions(['--only', 'rr65']), /no case is called rr65; there are rr64,/);
  t.match(parseOptions(['--peer', 'envoy']), /no peer is called envoy/);
  t.match(parseOptions(['--rounds', '0']), /--rounds wants/);
  t.match(parseOptions(['--fast']), /--fast/);
  for (const name of CASE_NAMES) t.match(HELP, name);
});

t.test('every case names its peers and what is read', async (t) => {
  for (const name of PEER_CASES) {
    t.ok(caseOf(name).peers.includes('uring'), name);
    t.ok(caseOf(name).measures.length > 0, name);
  }
});

t.test('peers take turns: each has every place once, and after each of the others', async (t) => {
  const peers = ['a', 'b', 'c', 'd'];
  const orders = peers.map((_, round) => orderOf(peers, round));
  for (const order of orders) t.same(order.toSorted(), peers);
  for (const place of peers.keys()) {
    t.equal(new Set(orders.map((order) => order[place])).size, peers.length);
  }
  const pairs = orders.flatMap((order) => order.slice(1).map((peer, at) => `${order[at]}${peer}`));
  t.equal(new Set(pairs).size, peers.length * (peers.length - 1));
  t.same(orderOf([], 3), []);
  t.same(orderOf(['a', 'b', 'c'], 4).toSorted(), ['a', 'b', 'c']);
});

t.test('a template is filled in completely, and comments are left alone', async (t) => {
  t.equal(fillIn('# @X@\n  a @X@ b @X@', { X: '1' }), '# @X@\n  a 1 b 1');
  t.throws(() => fillIn('@X@', {}), /@X@ has no value/);
  t.throws(() => fillIn('', { X: '1' }), /no place for X/);
});

t.test('versions are found in what programs print', async (t) => {
  t.equal(versionIn('HAProxy version 2.6.12-1+deb12u4 2026/10/17'), '2.6.12-1+deb12u4');
  t.equal(versionIn('nginx version: nginx/1.22.1'), '1.22.1');
  t.equal(versionIn('Redis server v=7.0.15 sha=00000000:0'), '7.0.15');
  t.equal(versionIn('usage'), null);
});
