/** UDP contract: listeners open and close, and replies leave from the address that was used. */
import { networkInterfaces } from 'node:os';
import type { Test } from 'tap';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { UdpDriver } from '../../support/udp_driver.js';
import { LISTENER, type MakeUdp, type UdpBench, withUdp } from './bench.js';

export interface UdpAbilities {
  /** On a wildcard, whether addresses that no interface lists (127.0.0.2) can be replied from. */
  readonly unlistedAddresses: 'yes' | 'no';
}

export function listeningContract(t: Test, make: MakeUdp, abilities: UdpAbilities): void {
  withUdp(t, make, 'an address in use is reported by its errno', async (bench, t) => {
    const taken = bench.backend.endpoint;
    const source = { kind: 'bind', local: taken, reusePort: 'exclusive' } as const;
    const outcome = await bench.driver.engine.openListener(8, source, 'plain');
    t.match(outcome, { ok: false, errno: 'EADDRINUSE' });
    t.match(outcome, { sentence: `${taken.port}` });
  });

  withUdp(
    t,
    make,
    'a closed listener receives nothing, and its address is free',
    async (bench, t) => {
      const { driver, backend, listener } = bench;
      const client = await bench.peer();
      client.send(listener, 'x');
      await backend.next();
      driver.closeAll();
      driver.engine.closeListener(LISTENER);
      const opened = await driver.engine.openListener(LISTENER, bench.source, 'plain');
      t.same(opened, { ok: true, local: listener });
      client.send(listener, 'y');
      t.equal(await backend.text(), 'y');
    },
  );

  withUdp(t, make, 'a listener that is left hands on what had come', async (bench, t) => {
    const { driver, backend, listener, source } = bench;
    const { engine } = driver;
    let left = Promise.resolve();
    driver.answers.newFlow = (flow) => {
      driver.open(flow, backend.endpoint);
      left = engine.leaveListener(LISTENER);
      return 'kept';
    };
    const client = await bench.peer();
    for (const text of ['a', 'b', 'c']) client.send(listener, text);
    const { from } = await backend.next();
    t.same([await backend.text(), await backend.text()], ['b', 'c']);
    await left;
    backend.send(from, 'reply');
    t.same((await client.next()).from, listener, 'replies leave as before');
    if (source.kind === 'descriptor') {
      driver.forwardTo(backend.endpoint);
      client.send(listener, 'later');
      const opened = await engine.openListener(8, source, 'plain');
      t.ok(opened.ok);
      t.equal(await backend.text(), 'later', 'what comes then is left in the socket');
      t.equal(driver.edges.past.findLast(({ kind }) => kind === 'newFlow')?.key, 8);
    }
    driver.closeAll();
    engine.closeListener(LISTENER);
  });

  for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
    takeOverContract(t, make, host);
    sharedContract(t, make, host);
  }

  withUdp(t, make, 'two listeners keep their clients apart', async (bench, t) => {
    const { driver, backend, listener } = bench;
    const opened = await driver.engine.openListener(
      8,
      bench.under.source(ipEndpoint(4, '127.0.0.1', 0)),
      'plain',
    );
    if (!opened.ok || opened.local.kind !== 'ip') throw new Error('not opened');
    backend.echo();
    const client = await bench.peer();
    client.send(listener, 'a');
    t.same((await client.next()).from, listener);
    client.send(opened.local, 'b');
    t.same((await client.next()).from, opened.local);
    t.same(
      driver.edges.past.filter((edge) => edge.kind === 'newFlow').map((edge) => edge.key),
      [LISTENER, 8],
    );
  });

  replies(t, make, '0.0.0.0', addressesOf('IPv4'));
  replies(t, make, '::', addressesOf('IPv6'));
  if (abilities.unlistedAddresses === 'yes') {
    replies(t, make, '0.0.0.0', ['127.0.0.2', '127.1.2.3']);
  }

  withUdp(
    t,
    make,
    'on a wildcard a client of two addresses has two flows',
    async (bench, t) => {
      const [first, second] = addressesOf('IPv4');
      if (first === undefined || second === undefined) {
        t.pass('this machine has one address', { skip: 'one address only' });
        return;
      }
      bench.backend.echo();
      const client = await bench.peer('0.0.0.0');
      for (const host of [first, second]) {
        const to = ipEndpoint(4, host, bench.listener.port);
        client.send(to, host);
        t.same((await client.next()).from, to);
      }
      t.equal(bench.driver.openFlows, 2);
    },
    { listen: ipEndpoint(4, '0.0.0.0', 0) },
  );
}

function replies(t: Test, make: MakeUdp, wildcard: string, hosts: readonly string[]): void {
  withUdp(
    t,
    make,
    `on ${wildcard} replies leave from the address that was used: ${hosts.join(', ')}`,
    async (bench, t) => {
      bench.backend.echo();
      const { listener, driver } = bench;
      for (const host of hosts) {
        const to = ipEndpoint(listener.family, host, listener.port);
        const client = await bench.peer(wildcard);
        client.send(to, 'one');
        const reply = await client.next();
        t.same(reply.from, to, host);
        client.send(to, 'two');
        t.same((await client.next()).from, to);
      }
      const locals = driver.edges.past
        .filter((edge) => edge.kind === 'newFlow')
        .map((edge) => (edge.flow === null ? null : driver.engine.local(edge.flow).host));
      t.same(locals, hosts, 'the flow knows it too');
    },
    { listen: ipEndpoint(wildcard === '::' ? 6 : 4, wildcard, 0) },
  );
}

/** Addresses of this machine that a client here can reach without a zone. */
function addressesOf(family: 'IPv4' | 'IPv6'): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => address.family === family && !address.address.startsWith('fe80'))
    .map(({ address }) => address);
}

/** Each has a socket of its own at one address, as the workers of a daemon have. */
function sharedContract(t: Test, make: MakeUdp, host: string): void {
  const family = host === '::' ? 6 : 4;
  const near = family === 6 ? '::1' : '127.0.0.1';
  const body = async (bench: UdpBench, t: Test): Promise<void> => {
    const { listener, source, backend } = bench;
    if (source.kind !== 'descriptor') {
      t.pass('only descriptors can be at one address');
      return;
    }
    const driver = new UdpDriver();
    const other = await make({ pairs: 1, flows: 64 }, driver);
    driver.drive(other.udp);
    driver.forwardTo(backend.endpoint);
    backend.echo();
    try {
      t.match(await other.udp.openListener(8, other.source(listener), 'plain'), { ok: true });
      const to = ipEndpoint(family, near, listener.port);
      const clients = await Promise.all(Array.from({ length: 30 }, () => bench.peer(near)));
      for (const text of ['one', 'two', 'three']) {
        for (const client of clients) client.send(to, text);
        const answers = await Promise.all(clients.map((client) => client.text()));
        t.ok(answers.every((answer) => answer === text));
      }
      const flows = [bench.driver, driver].map((each) => each.count('newFlow'));
      t.notOk(flows.includes(0), 'both serve');
      t.equal((flows[0] ?? 0) + (flows[1] ?? 0), clients.length, 'and no client comes to both');
    } finally {
      driver.closeAll();
      await other.dispose();
    }
    t.same(driver.violations, []);
  };
  const name = `two engines at ${host} share its clients, each of which stays where it is`;
  withUdp(t, make, name, body, { listen: ipEndpoint(family, host, 0) });
}

/** Clients that never stop sending: not one datagram is lost when another listener takes over. */
function takeOverContract(t: Test, make: MakeUdp, host: string): void {
  const name = `a listener at ${host} takes over a socket, and all that comes to it`;
  const family = host === '::' ? 6 : 4;
  const near = family === 6 ? '::1' : '127.0.0.1';
  const body = async (bench: UdpBench, t: Test): Promise<void> => {
    const { driver, backend, listener, source } = bench;
    if (source.kind !== 'descriptor') {
      t.pass('only a descriptor can be had twice');
      return;
    }
    const { engine } = driver;
    const to = ipEndpoint(family, near, listener.port);
    const client = await bench.peer(near);
    client.send(to, 'before');
    const { from } = await backend.next();
    const other = await bench.peer(near);
    let sent = 0;
    const more = (): void => {
      other.send(to, `${sent++}`);
    };
    for (let count = 0; count < 20; count++) more();
    const opening = engine.openListener(8, source, 'plain', LISTENER);
    for (let count = 0; count < 20; count++) more();
    t.match(await opening, { ok: true, local: listener });
    for (let count = 0; count < 20; count++) more();
    const got = new Set<string>();
    while (got.size < sent) got.add(await backend.text());
    t.equal(got.size, sent, 'nothing is lost');
    backend.send(from, 'reply');
    t.same((await client.next()).from, to, 'flows of the old one reply');
    client.send(to, 'after');
    t.equal(await backend.text(), 'after');
    t.equal(driver.edges.past.findLast(({ kind }) => kind === 'newFlow')?.key, 8);
    driver.closeAll();
    engine.closeListener(LISTENER);
    client.send(to, 'at last');
    t.equal(await backend.text(), 'at last', 'it goes on without the old one');
  };
  withUdp(t, make, name, body, { listen: ipEndpoint(family, host, 0) });
}
