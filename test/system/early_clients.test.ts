import t from 'tap';
import { formatAddress, ipEndpoint } from '../../src/core/endpoint.js';
import { startOperated } from '../support/ctl.js';
import { type Daemon, ENGINE, startDaemon } from '../support/daemon.js';
import { connectPeer, LOOPBACK, type Peer, PeerServer } from '../support/peer.js';
import { freePort } from '../support/places.js';
import { listenerText, poolText } from '../support/settings.js';
import { silentEndpoint } from '../support/silent_endpoint.js';

interface Scene {
  readonly daemon: Daemon;
  readonly backend: PeerServer;
  readonly connect: () => Promise<Peer>;
}

/** Where a client waits, by listener: for a verdict, a dial, a place, a release, its own header. */
function waitingToml(mute: string, dead: string, echo: string): string {
  const none = 'probe = "none"';
  return [
    listenerText({ pool: 'unproven' }),
    poolText({
      name: 'unproven',
      backends: [{ address: mute }],
      lines: 'connect_timeout = "30s"',
      health: 'probe = "tcp"\ntimeout = "30s"',
    }),
    listenerText({ pool: 'slow' }),
    poolText({
      name: 'slow',
      policy: 'round-robin',
      backends: [{ address: mute }, { address: dead }, { address: echo, lines: 'backup = true' }],
      lines: 'connect_timeout = "500ms"\nretries = 3',
      health: none,
    }),
    listenerText({ pool: 'held' }),
    listenerText({ name: 'few', pool: 'held', lines: 'max_sessions = 1' }),
    listenerText({
      name: 'headed',
      pool: 'held',
      lines: 'accept_proxy_protocol = true\ntrusted_proxies = ["127.0.0.0/8"]',
    }),
    poolText({ name: 'held', backends: [{ address: echo }], health: none }),
  ].join('');
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
    const said: string[] = [];
    backend.serve((peer) => {
      peer.send('hello');
      void peer.rest().then((text) => {
        said.push(String(text));
        peer.finish();
      }, String);
    });
    const first = await connect();
    first.send(HEADER);
    await first.takeText(5);
    const waiting = await connect();
    for (const piece of [HEADER, 'one ', 'two ', 'three']) {
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

  t.test('whatever clients wait for, resets end no worker and a FIN costs no answer', async (t) => {
    const backend = await PeerServer.listen(LOOPBACK);
    t.teardown(() => backend.close());
    backend.serve((peer) => {
      void peer.rest().then((text) => peer.finish(`hello ${text}`), String);
    });
    const mute = await silentEndpoint();
    t.teardown(() => mute.close());
    const addresses = [formatAddress(mute.endpoint), `127.0.0.1:${await freePort()}`] as const;
    const { daemon, ctl } = await startOperated(t, {
      toml: waitingToml(...addresses, formatAddress(backend.endpoint)),
    });
    t.equal((await ctl('hold', 'held')).code, 0);
    const connect = async (listener: string): Promise<Peer> =>
      connectPeer(ipEndpoint(4, '127.0.0.1', await daemon.port(listener)));
    for (const listener of ['unproven', 'slow', 'held', 'few', 'headed']) {
      for (const said of ['', 'x', 'PROXY ', HEADER, `${HEADER}x`]) {
        const clients = await Promise.all(Array.from({ length: 30 }, () => connect(listener)));
        if (said !== '') for (const client of clients) client.send(said);
        for (const client of clients) client.reset();
      }
    }
    const answers: Promise<string>[] = [];
    const expected: string[] = [];
    for (const listener of ['slow', 'held', 'few', 'headed']) {
      for (let count = 0; count < 20; count++) {
        const client = await connect(listener);
        const said = count % 2 === 0 ? '' : 'abc';
        client.finish(`${listener === 'headed' ? HEADER : ''}${said}`);
        answers.push(client.rest().then(String, String));
        expected.push(`hello ${said}`);
      }
    }
    t.equal((await ctl('release', 'held')).code, 0);
    t.same(await Promise.all(answers), expected);
    for (const gauge of ['sessions_active', 'backend_active', 'queue_length']) {
      await daemon.metricSettles(`sluice_${gauge}`, {}, (sum) => sum === 0);
    }
  });
});

const HEADER = 'PROXY TCP4 203.0.113.7 203.0.113.1 1234 5432\r\n';
