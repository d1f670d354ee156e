/** dns and udp against dnsmasq itself. */
import t from 'tap';
import type { DnsType } from '../../../src/core/dns_codes.js';
import type { ProbeSpec } from '../../../src/core/health_spec.js';
import { haveServers } from '../../support/require_server.js';
import { startDnsmasq } from '../../support/servers/dnsmasq.js';
import { ask, line } from './ask.js';

t.test('dnsmasq', async (t) => {
  if (!haveServers(t, 'dnsmasq')) return;
  const [server] = await startDnsmasq(t, 1);
  if (server === undefined) return;
  const told = async (name: string, type: DnsType, ...rcodes: readonly string[]): Promise<string> =>
    line(await ask({ kind: 'dns', name, type, rcodes }, server.port));

  await t.test('the response code decides', async (t) => {
    t.equal(await told('service.test', 'A', 'NOERROR'), 'ok: NOERROR');
    t.equal(await told('SERVICE.test.', 'A', 'NOERROR'), 'ok: NOERROR');
    t.equal(await told('which.test', 'TXT', 'NOERROR'), 'ok: NOERROR');
    t.equal(
      await told('elsewhere.example', 'A', 'NOERROR'),
      'not-ready: answers REFUSED for elsewhere.example A',
    );
    t.equal(await told('elsewhere.example', 'A', 'NOERROR', 'REFUSED'), 'ok: REFUSED');
  });

  await t.test('udp with bytes of a query and of its answer', async (t) => {
    const send = Buffer.from('beef01000001000000000000077365727669636504746573740000010001', 'hex');
    const spec = (expect: string): ProbeSpec => ({
      kind: 'udp',
      send,
      expect: Buffer.from(expect, 'hex'),
    });
    t.equal(line(await ask(spec('c0000201'), server.port)), 'ok: ', '192.0.2.1');
    t.match(line(await ask(spec('c0000202'), server.port)), /^wrong-answer: /);
  });

  await t.test('a server that is gone is refused by its host', async (t) => {
    await server.kill();
    t.equal(
      await told('service.test', 'A', 'NOERROR'),
      'refused: connection refused (ECONNREFUSED)',
    );
  });
});
