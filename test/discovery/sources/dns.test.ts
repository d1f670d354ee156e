/** Members from real name servers, and from one that says what real ones rarely do. */
import t, { type Test } from 'tap';
import type { DnsSourceSpec } from '../../../src/core/discovery_spec.js';
import { formatAddress, type IpEndpoint, ipEndpoint } from '../../../src/core/endpoint.js';
import { seededRandom } from '../../../src/core/random.js';
import { Follower } from '../../../src/discovery/follower.js';
import { loggedName } from '../../../src/discovery/member_sets.js';
import type { Members, SourceAnswer, SourceDeps } from '../../../src/discovery/source.js';
import { dnsSource } from '../../../src/discovery/sources/dns.js';
import { eventually } from '../../support/deadline.js';
import { fastTime } from '../../support/fast_time.js';
import { freePort } from '../../support/places.js';
import { haveServers } from '../../support/require_server.js';
import { seed } from '../../support/seed.js';
import { Dnsmasq } from '../../support/servers/dnsmasq.js';
import { answering, servfail, startFakeDns } from '../../support/servers/fake_dns.js';
import { startKnot } from '../../support/servers/knot.js';
import { RULES } from '../told.js';

const NEVER = new AbortController().signal;

const local = (port: number): IpEndpoint => ipEndpoint(4, '127.0.0.1', port);

const DEPS: SourceDeps = { ...fastTime(1), random: seededRandom(seed) };

function source(port: number, more: Partial<DnsSourceSpec>, deps = DEPS) {
  const spec: DnsSourceSpec = {
    kind: 'dns',
    name: 'pg.test',
    records: 'addresses',
    port: 5_432,
    servers: [local(port)],
    minRefreshMs: 1_000,
    maxRefreshMs: 300_000,
    ...more,
  };
  return dnsSource(spec, deps);
}

async function asked(port: number, more: Partial<DnsSourceSpec>): Promise<SourceAnswer> {
  return source(port, more).ask(NEVER);
}

function found(t: Test, answer: SourceAnswer): Members {
  if (answer.kind !== 'members') t.fail(JSON.stringify(answer));
  return answer.kind === 'members' ? answer : { ...NOTHING };
}
const NOTHING: Members = {
  kind: 'members',
  members: [],
  elsewhere: [],
  leftOut: [],
  remarks: [],
  againMs: 0,
};

const texts = ({ members }: Members): string[] =>
  members.map(({ address, weight, backup }) =>
    [formatAddress(address), weight, ...(backup ? ['backup'] : [])].join(' '),
  );

async function dnsmasq(t: Test, ...records: readonly string[]): Promise<number> {
  const server = new Dnsmasq(await freePort(), records);
  t.teardown(() => server.end());
  await server.start();
  return server.port;
}

t.test('dnsmasq: every A and AAAA record is a member, for as long as its TTL', async (t) => {
  if (!haveServers(t, 'dnsmasq')) return;
  const port = await dnsmasq(
    t,
    '--host-record=pg.test,192.0.2.1,2001:db8::1,40',
    '--host-record=pg.test,192.0.2.2,20',
    '--cname=alias.test,pg.test,5',
  );
  const answer = found(t, await asked(port, {}));
  t.same(texts(answer).sort(), ['192.0.2.1:5432 1', '192.0.2.2:5432 1', '[2001:db8::1]:5432 1']);
  t.ok(answer.againMs <= 40_000 && answer.againMs >= 20_000, `${answer.againMs} ms`);
  const bounded = { minRefreshMs: 60_000, maxRefreshMs: 60_000 };
  t.equal(found(t, await asked(port, bounded)).againMs, 60_000);
  const alias = found(t, await asked(port, { name: 'ALIAS.test.' }));
  t.equal(texts(alias).length, 3, 'a name may stand for another one');
  t.match(await asked(port, { name: 'no.other' }), { kind: 'failed', failure: 'refused' });
});

t.test('dnsmasq: SRV names ports, weights, and backups of a higher priority', async (t) => {
  if (!haveServers(t, 'dnsmasq')) return;
  const port = await dnsmasq(
    t,
    '--host-record=a.test,192.0.2.1',
    '--host-record=b.test,192.0.2.2',
    '--srv-host=_pg._tcp.test,a.test,5433,10,60000',
    '--srv-host=_pg._tcp.test,b.test,5434,10,30000',
    '--srv-host=_pg._tcp.test,b.test,5435,20,0',
  );
  const services = { name: '_pg._tcp.test', records: 'services', port: 0 } as const;
  const answer = found(t, await asked(port, services));
  t.same(texts(answer).sort(), [
    '192.0.2.1:5433 1000',
    '192.0.2.2:5434 500',
    '192.0.2.2:5435 1 backup',
  ]);
});

t.test('knot: what fits no datagram comes over TCP, and "no" has a time too', async (t) => {
  if (!haveServers(t, 'knotd')) return;
  const many = Array.from({ length: 255 }, (_, index) => `many 30 A 192.0.2.${index}`);
  const port = await startKnot(t, [
    '@ 60 NS ns',
    'ns 60 A 127.0.0.1',
    ...many,
    'six 30 AAAA 2001:db8::6',
    'srv 30 SRV 0 5 5433 six',
    'srv 30 SRV 0 5 5433 gone',
    'none 30 SRV 0 0 0 .',
  ]);
  t.equal(texts(found(t, await asked(port, { name: 'many.knot.test' }))).length, 255);
  const negative = found(t, await asked(port, { name: 'nobody.knot.test' }));
  t.match(negative, { members: [], againMs: 7_000 });
  const empty = found(t, await asked(port, { name: 'srv.knot.test' }));
  t.match(empty, { members: [], againMs: 7_000 }, 'a name without addresses');
  const services = { name: 'srv.knot.test', records: 'services', port: 0 } as const;
  const half = found(t, await asked(port, services));
  t.same(texts(half), ['[2001:db8::6]:5433 5']);
  t.same(half.leftOut, ['gone.knot.test has no address']);
  const none = found(t, await asked(port, { ...services, name: 'none.knot.test' }));
  t.same(none.members, [], '"." says that there is no such service');
  t.match(await asked(port, { name: 'pg.elsewhere' }), {
    failure: 'refused',
    problem: `name server 127.0.0.1 port ${port} answers REFUSED`,
  });
});

t.test('a server that is mute, dead or confused leaves the question to the next', async (t) => {
  const mute = await startFakeDns(t);
  const confused = await startFakeDns(t);
  confused.reply = servfail;
  const dead = await freePort();
  const good = await startFakeDns(t);
  good.reply = (query) => answering(query, records(query, '192.0.2.1'));
  const servers = [mute.port, dead, confused.port, good.port].map(local);
  const one = source(0, { servers });
  const answer = found(t, await one.ask(NEVER));
  t.same(texts(answer), ['192.0.2.1:5432 1']);
  const before = mute.queries.length;
  t.same(texts(found(t, await one.ask(NEVER))), ['192.0.2.1:5432 1']);
  t.equal(mute.queries.length, before, 'the one that answered is asked first');
});

t.test('a family that cannot be asked is as it was', async (t) => {
  const server = await startFakeDns(t);
  const both = (query: Query) =>
    answering(
      query,
      query.questions?.[0]?.type === 'A'
        ? records(query, '192.0.2.1')
        : [{ type: 'AAAA', name: 'pg.test', ttl: 1, data: '2001:db8::1' }],
    );
  server.reply = (query) => (query.questions?.[0]?.type === 'AAAA' ? servfail(query) : both(query));
  const one = source(server.port, {});
  t.equal(texts(found(t, await one.ask(NEVER))).length, 1, 'some servers know one only');
  server.reply = both;
  t.equal(texts(found(t, await one.ask(NEVER))).length, 2);
  server.reply = (query) => (query.questions?.[0]?.type === 'A' ? both(query) : servfail(query));
  t.equal(texts(found(t, await one.ask(NEVER))).length, 2);
});

t.test('the system has name servers', async (t) => {
  const answer = await asked(0, { name: 'localhost.invalid', servers: [] });
  t.ok(answer.kind === 'members' || answer.kind === 'failed', 'and the source ends either way');
});

type Query = Parameters<typeof servfail>[0];

function records({ questions = [] }: Query, data: string) {
  const [question] = questions;
  return question?.type === 'A' ? [{ type: 'A' as const, name: 'pg.test', ttl: 1, data }] : [];
}

t.test('two minutes without a name server take no member, with every TTL long over', async (t) => {
  const server = await startFakeDns(t);
  const hosts = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
  const answers: typeof server.reply = (query) => {
    const isA = query.questions?.[0]?.type === 'A';
    const records = isA ? hosts.map((data) => ({ name: 'pg.test', ttl: 1, data })) : [];
    return answering(
      query,
      records.map((record) => ({ ...record, type: 'A' })),
    );
  };
  server.reply = answers;
  // A minute is two seconds of the test.
  const deps = { ...fastTime(30), random: seededRandom(seed) };
  const changes: string[] = [];
  const follower: Follower = new Follower(
    { rules: RULES },
    {
      ...deps,
      source: source(server.port, {}, deps),
      proofOf: () => 'serves',
      news: ({ members }) => {
        if (members === 'changed') changes.push(String(follower.members.map(loggedName)));
      },
      defect: (error) => t.fail(String(error)),
    },
  );
  t.teardown(() => follower.stop());
  void follower.start();
  await eventually('three', () => (follower.members.length === 3 ? true : undefined));
  server.reply = () => null;
  const asked = server.queries.length;
  const sinceMs = await eventually('a failure', () => {
    const { doubt } = follower.view;
    return doubt?.kind === 'failed' ? doubt.sinceMs : undefined;
  });
  await eventually('two minutes later', () =>
    deps.clock.nowMs() - sinceMs > 120_000 ? true : undefined,
  );
  t.ok(server.queries.length > asked);
  t.match(follower.view.doubt, { kind: 'failed', failure: 'timeout', sinceMs });
  t.same(changes, [String(hosts.map((host) => `${host}:5432`))]);
  server.reply = answers;
  await eventually('an answer', () => (follower.view.doubt === null ? true : undefined));
  t.equal(changes.length, 1);
});
