import t from 'tap';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { type Daemon, ENGINE, startDaemon } from '../support/daemon.js';
import { connectPeer, LOOPBACK, type Peer, PeerServer } from '../support/peer.js';

interface Scene {
  readonly daemon: Daemon;
  readonly backend: PeerServer;
  readonly connect: () => Promise<Peer>;
}

/** One backend with room for one session, and a queue; as users bind, on a wildcard. */
async function scene(t: Tap, listener = '', maxConnections = 1): Promise<Scene> {
  const backend = await PeerServer.listen(LOOPBACK);
  t.teardown(() => backend.close());
  const port = backend.endpoint.kind === 'ip' ? backend.endpoint.port : 0;
  const daemon = await startDaemon(t, {
    workers: 1,
    toml: `
[listeners.front]
bind = "0.0.0.0:0"
pool = "servers"
${listener}

[pools.servers]
backends = [{ address = "127.0.0.1:${port}", max_connections = ${maxConnections} }]
queue_size = 500
`,
  });
  const { port: front } = await daemon.address('front');
  return { daemon, backend, connect: () => connectPeer(ipEndpoint(4, '127.0.0.1', front)) };
}

type Tap = Parameters<typeof startDaemon>[0];

t.test(`early clients on ${ENGINE}`, async (t) => {
  t.test('clients that reset one after the other while they queue end no worker', async (t) => {
    const { daemon, backend, connect } = await scene(t);
    for (let round = 0; round < 5; round++) {
      const clients: Peer[] = [];
      for (let count = 0; count < 30; count++) {
        const client = await connect();
        client.send('x');
        clients.push(client);
      }
      for (const client of clients) client.reset();
    }
    const client = await connect();
    client.send('alive');
    let text = '';
    while (text !== 'alive') text = await (await backend.next()).takeText(5);
    t.same(daemon.eventsNamed('worker-lost'), []);
    t.same(daemon.eventsNamed('internal-error'), []);
  });

  t.test('a PROXY header and what follows it may come in any packets', async (t) => {
    const trusts = 'accept_proxy_protocol = true\ntrusted_proxies = ["127.0.0.0/8"]';
    const { daemon, backend, connect } = await scene(t, trusts);
    const header = 'PROXY TCP4 203.0.113.7 203.0.113.1 1234 5432\r\n';
    const said: string[] = [];
    backend.serve((peer) => {
      peer.send('hello');
      void peer.rest().then((text) => {
        said.push(String(text));
        peer.finish();
      }, String);
    });
    const first = await connect();
    first.send(header);
    await first.takeText(5);
    const waiting = await connect();
    for (const piece of [header, 'one ', 'two ', 'three']) {
      waiting.send(piece);
      await daemon.get('/healthz');
    }
    first.finish();
    waiting.finish();
    t.equal(String(await waiting.rest()), 'hello');
    t.ok(said.includes('one two three'), said.join(', '));
    t.same(daemon.eventsNamed('worker-lost'), []);
  });

  t.test('clients that shut down at once get what a server says that speaks first', async (t) => {
    // Most of them wait for a place, their FIN read.
    const { daemon, backend, connect } = await scene(t, '', 8);
    backend.serve((peer) => {
      void peer.rest().then(() => peer.finish('the greeting'), String);
    });
    const answers = await Promise.all(
      Array.from({ length: 400 }, async () => {
        const client = await connect();
        client.finish();
        return client.rest().then(String, String);
      }),
    );
    t.same(daemon.eventsNamed('session').slice(-3), [], 'nothing is refused');
    t.equal(answers.filter((answer) => answer === 'the greeting').length, 400);
    t.same(daemon.eventsNamed('worker-lost'), []);
  });
});
