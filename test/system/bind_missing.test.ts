/**
 * Addresses that come and go, as those of a pair of machines do, in a network whose addresses the
 * test gives and takes.
 */
import t, { type Test } from 'tap';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { BINARY, Daemon, startDaemon } from '../support/daemon.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { inOwnNetwork } from '../support/own_network.js';
import { freePort, tempFolder } from '../support/places.js';
import { mustRun, runToEnd } from '../support/process.js';
import { listenerText, poolText } from '../support/settings.js';
import { UdpPeer } from '../support/udp_peer.js';
import { dial, tryDial } from '../support/wire.js';

const VIRTUAL = { 4: '192.0.2.7', 6: '2001:db8::7' } as const;
const FAMILIES = [4, 6] as const;
const NO_PROBE = 'probe = "none"\n';

if (inOwnNetwork(import.meta.url)) {
  t.test('a listener waits for its address, and serves whenever it is here', async (t) => {
    const [port, udp] = [await freePort(), await UdpPeer.open()];
    t.teardown(() => udp.close());
    udp.echo();
    const echoes = await startEchoes(t, 1);
    const daemon = await startDaemon(t, {
      toml: [
        ...FAMILIES.flatMap((family) => [
          listenerText({ ...at(family, port), pool: 'tcp', name: `tcp${family}` }),
          listenerText({ ...at(family, port), pool: 'udp', name: `udp${family}`, protocol: 'udp' }),
        ]),
        poolText({ name: 'tcp', backends: echoes, health: NO_PROBE }),
        poolText({
          name: 'udp',
          backends: [{ address: `127.0.0.1:${udp.endpoint.port}` }],
          health: NO_PROBE,
        }),
      ].join('\n'),
    });
    t.equal((await daemon.get('/ready')).status, 200, 'nothing is amiss without it');
    for (const round of ['comes', 'comes back']) {
      for (const family of FAMILIES) {
        const refusal = await tryDial({ port, host: VIRTUAL[family] });
        t.type(refusal, 'string', `no client reaches IPv${family} before it ${round}`);
        await change('add', family);
      }
      for (const family of FAMILIES) await isServed(t, family, port);
      for (const family of FAMILIES) await change('del', family);
    }
    t.same(daemon.eventsNamed('listen-failed'), []);
  });

  t.test('without bind_missing it is refused, by a start and by a reload', async (t) => {
    const port = await freePort();
    const [echo] = await startEchoes(t, 1);
    const pool = poolText({ name: 'p', backends: echo === undefined ? [] : [echo] });
    const bind = `${VIRTUAL[4]}:${port}`;
    const refused = listenerText({ name: 'virtual', pool: 'p', bind }) + pool;
    const remedy = /192\.0\.2\.7:\d+.*EADDRNOTAVAIL.*set bind_missing = true/;

    const failing = new Daemon(`${tempFolder(t)}/sluice.toml`, { toml: refused });
    t.match((await failing.event('start-failed'))['detail'], remedy);
    t.equal((await failing.exited).code, 1);
    const { code, stderr } = await runToEnd(process.execPath, [BINARY, 'check', failing.file]);
    t.match({ code, stderr }, { code: 0, stderr: /warning: .*does not have.*bind_missing = true/ });

    const daemon = await startDaemon(t, { toml: listenerText({ name: 'w', pool: 'p' }) + pool });
    const told = await daemon.reload(`${listenerText({ name: 'w', pool: 'p' })}${refused}`);
    t.match(JSON.stringify(told), remedy);
  });
}

function at(family: 4 | 6, port: number): { readonly bind: string; readonly lines: string } {
  const host = family === 4 ? VIRTUAL[4] : `[${VIRTUAL[6]}]`;
  return { bind: `${host}:${port}`, lines: 'bind_missing = true' };
}

/**
 * `nodad`: an IPv6 address that is still being looked for elsewhere (RFC 4862) serves no client.
 */
async function change(how: 'add' | 'del', family: 4 | 6): Promise<void> {
  const host = family === 4 ? `${VIRTUAL[4]}/32` : `${VIRTUAL[6]}/128`;
  const nodad = how === 'add' && family === 6 ? ['nodad'] : [];
  await mustRun('ip', [`-${family}`, 'address', how, host, 'dev', 'lo', ...nodad]);
}

async function isServed(t: Test, family: 4 | 6, port: number): Promise<void> {
  const host = VIRTUAL[family];
  const client = await dial(t, { port, host });
  await client.send('hello');
  t.equal(await client.readText(5), 'hello', host);
  client.socket.destroy();
  const peer = await UdpPeer.open(host);
  t.teardown(() => peer.close());
  peer.send(ipEndpoint(family, host, port), 'datagram');
  t.equal(await peer.text(), 'datagram', host);
  await peer.close();
}
