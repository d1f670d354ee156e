/**
 * A client of IPv4 is the same one however its address is written: as IPv4, or as the IPv4-mapped
 * address of IPv6 (RFC 4291, 2.5.5.2), in a PROXY header of either version. A socket of IPv6 has no
 * clients of IPv4.
 */
import t from 'tap';
import { ipEndpoint } from '../../src/core/endpoint.js';
import { encodeV2 } from '../../src/session/proxy_protocol/encode.js';
import { accessLine } from '../support/access_lines.js';
import { startOperated } from '../support/ctl.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { listenerText, poolText } from '../support/settings.js';
import { tryDial, type Wire } from '../support/wire.js';

const PROXY = 'accept_proxy_protocol = true\ntrusted_proxies = ["127.0.0.0/8"]';
const FORMS = ['plain', 'line', 'header'] as const;

/** What a proxy says of the client `host`, an address of IPv4. */
function headerOf(form: (typeof FORMS)[number], host: string, port: number): Buffer {
  if (form === 'plain') return Buffer.from(`PROXY TCP4 ${host} 10.0.0.1 ${port} 80\r\n`);
  if (form === 'line') return Buffer.from(`PROXY TCP6 ::ffff:${host} 2001:db8::1 ${port} 80\r\n`);
  const header = encodeV2({
    transport: 'stream',
    source: ipEndpoint(4, host, port),
    destination: ipEndpoint(6, '2001:db8::1', 80),
    tlvs: [],
  });
  if (header[13] !== 0x21) throw new Error('both addresses are of IPv6');
  return Buffer.from(header);
}

interface Outcome {
  readonly form: string;
  readonly cause: string;
  readonly backend: string | null;
}

t.test('one client, however its address is written', async (t) => {
  const echoes = await startEchoes(t, 5);
  const toml =
    ['p2c', 'source-hash']
      .map((policy) =>
        poolText({ name: policy, policy, backends: echoes, health: 'probe = "none"' }),
      )
      .join('') +
    listenerText({ name: 'lists', pool: 'p2c', lines: `${PROXY}\naccess.deny = ["203.0.113.7"]` }) +
    listenerText({
      name: 'allows',
      pool: 'p2c',
      lines: `${PROXY}\naccess.allow = ["203.0.113.8"]`,
    }) +
    listenerText({
      name: 'limits',
      pool: 'p2c',
      lines: `${PROXY}\nlimits.sessions_per_client = 1\nlimits.exempt = ["203.0.113.8/32"]`,
    }) +
    listenerText({
      name: 'routes',
      pool: '',
      lines: `${PROXY}\nroutes = [{ client = "203.0.113.0/29", pool = "p2c" }]`,
    }) +
    listenerText({ name: 'hash', pool: 'source-hash', lines: PROXY });
  const { daemon, ctl, ask } = await startOperated(t, { toml, access: 'all' });
  let ports = 1_000;

  /** What becomes of a client that comes in each form; each stays until all have come. */
  const come = async (listener: string, host: string): Promise<readonly Outcome[]> => {
    const port = await daemon.port(listener);
    const open: { wire: Wire; form: string; number: number }[] = [];
    for (const form of FORMS) {
      const wire = await tryDial({ port });
      if (typeof wire === 'string') throw new Error(wire);
      const number = ports++;
      open.push({ wire, form, number });
      await wire.send(Buffer.concat([headerOf(form, host, number), Buffer.from('x')]));
      await wire.read(1).catch(() => null);
    }
    for (const { wire } of open) wire.finish();
    return Promise.all(
      open.map(async ({ form, number, wire }) => {
        const line = await accessLine(daemon, form, ({ client }) => client.endsWith(`:${number}`));
        wire.socket.destroy();
        return { form, cause: line.outcome.cause, backend: line.backend };
      }),
    );
  };
  const causes = async (listener: string, host: string): Promise<readonly string[]> =>
    (await come(listener, host)).map(({ cause }) => cause);
  const all = (cause: string) => FORMS.map(() => cause);

  t.same(await causes('lists', '203.0.113.7'), all('denied'));
  t.same(await causes('lists', '203.0.113.8'), all('finished'));
  t.same(await causes('allows', '203.0.113.7'), all('not-allowed'));
  t.same(await causes('allows', '203.0.113.8'), all('finished'));
  const many = 'too-many-sessions';
  t.same(await causes('limits', '203.0.113.7'), ['finished', many, many], 'they are one client');
  t.same(await causes('limits', '203.0.113.8'), all('finished'));
  t.same(await causes('routes', '203.0.113.7'), all('finished'));
  t.same(await causes('routes', '203.0.113.8'), all('no-route'));
  for (let host = 1; host <= 8; host++) {
    const backends = (await come('hash', `203.0.113.${host}`)).map(({ backend }) => backend);
    t.equal(new Set(backends).size, 1, 'by its address it belongs to one backend');
  }

  const clients = await ask<{ items: { client: string; refused: number }[] }>('clients');
  t.match(
    clients.items.filter(({ client }) => client.includes('203.0.113.7')),
    [{ client: '203.0.113.7', refused: 2 }],
  );
  t.match(await ctl('explain', 'lists', '203.0.113.7'), { stdout: /denied/ });
  const asMapped = await ctl('explain', 'lists', '::ffff:203.0.113.7');
  t.match(asMapped, { code: 2, stderr: /write it as IPv4, 203\.0\.113\.7/ });

  t.match(await ctl('deny', '203.0.113.9'), { code: 0 });
  t.same(await causes('lists', '203.0.113.9'), all('denied'));
  t.match(await ctl('deny', '::ffff:203.0.113.10'), { code: 2, stderr: /203\.0\.113\.10/ });
});
