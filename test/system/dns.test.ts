/** Real DNS servers behind the real daemon. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startDaemon } from '../support/daemon.js';
import { pass } from '../support/deadline.js';
import { tempFolder } from '../support/places.js';
import { mustRun } from '../support/process.js';
import { haveServers, program } from '../support/require_server.js';
import { startDnsmasq } from '../support/servers/dnsmasq.js';
import { listenerText, poolText } from '../support/settings.js';

const PROGRAMS = ['dnsmasq', 'dig', 'dnsperf'] as const;

const HEALTH = `probe = "dns"
name = "service.test"
type = "A"
interval = "500ms"
fast_interval = "100ms"
down_interval = "250ms"
timeout = "300ms"
fall = 2
rise = 2
`;

t.test('dig gets its answers from three DNS servers in turn', async (t) => {
  if (!haveServers(t, ...PROGRAMS)) return;
  const servers = await startDnsmasq(t, 3);
  const daemon = await startDaemon(t, { toml: service(servers, 'round-robin') });
  await daemon.backendsUp('dns', 3);
  const port = await daemon.port('dns');
  t.equal(await dig(port, 'service.test', 'A'), '192.0.2.1');
  const who = new Set<string>();
  for (let i = 0; i < 6; i++) who.add(await dig(port, 'which.test', 'TXT'));
  t.same([...who].sort(), ['"dns1"', '"dns2"', '"dns3"']);
});

t.test('after the fall time no query is lost, nor when the server comes back', async (t) => {
  if (!haveServers(t, ...PROGRAMS)) return;
  const servers = await startDnsmasq(t, 3);
  const [victim] = servers;
  if (victim === undefined) throw new Error('no server');
  const daemon = await startDaemon(t, { toml: service(servers, 'p2c'), workers: 2 });
  await daemon.backendsUp('dns', 3);
  const port = await daemon.port('dns');

  // Over the death itself: only what was on its way to the dead server may be lost.
  const during = dnsperf(t, port, 4);
  await pass(1_500);
  await victim.kill();
  await daemon.backendsUp('dns', 2);
  const { lost: lostAtDeath, sent } = await during;
  t.ok(sent > 1_000, `${sent} queries`);
  t.ok(lostAtDeath <= 2 * FLOWS, `at the death itself ${lostAtDeath} are lost`);

  // The flows of this run begin after the fall, and live through the return.
  const after = dnsperf(t, port, 4);
  await pass(1_000);
  await victim.start();
  await daemon.backendsUp('dns', 3);
  t.equal((await after).lost, 0);

  const who = new Set<string>();
  for (let i = 0; i < 40; i++) who.add(await dig(port, 'which.test', 'TXT'));
  t.ok(who.has('"dns1"'), 'the server that came back serves again');
});

const FLOWS = 20;

function service(servers: readonly { readonly address: string }[], policy: string): string {
  return (
    listenerText({ pool: 'dns', protocol: 'udp' }) +
    poolText({ name: 'dns', policy, backends: servers, health: HEALTH })
  );
}

async function dig(port: number, name: string, type: string): Promise<string> {
  const args = ['@127.0.0.1', '-p', String(port), '+short', '+tries=1', '+time=2', name, type];
  return (await mustRun(program('dig'), args)).trim();
}

/** Asks at 500 queries a second over 20 flows for `seconds`. */
async function dnsperf(
  t: Test,
  port: number,
  seconds: number,
): Promise<{ readonly sent: number; readonly lost: number }> {
  const questions = join(tempFolder(t), 'questions');
  writeFileSync(questions, 'service.test A\nwhich.test TXT\n');
  const args = ['-s', '127.0.0.1', '-p', String(port), '-d', questions, '-l', String(seconds)];
  const limits = ['-c', String(FLOWS), '-Q', '500', '-t', '1'];
  const report = await mustRun(program('dnsperf'), [...args, ...limits]);
  const figure = (name: string): number =>
    Number(new RegExp(`Queries ${name}:\\s+(\\d+)`).exec(report)?.[1] ?? Number.NaN);
  return { sent: figure('sent'), lost: figure('lost') };
}
