/** `[listeners.NAME.limits]`: exact for each client over all workers, whatever happens to them. */
import t from 'tap';
import { accessLine } from '../support/access_lines.js';
import { startDaemon } from '../support/daemon.js';
import { eventually, nowMs, within } from '../support/deadline.js';
import { startUdpEchoes, udpClient } from '../support/load/datagrams.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { listenerText, poolText } from '../support/settings.js';
import { type Target, tryDial, type Wire } from '../support/wire.js';
import { LOSE_WORKER, SIZES_VARIABLE } from '../torture/every_thread.js';

const CLIENTS = 500;
const EACH = 3;
/** How many sessions each client begins at a time. */
const TRIES = 7;
/** This many of them keep their sessions when a worker is lost. */
const KEEPERS = 100;
/** Of networks of their own; a million by hand (`CROWD=1000000`, with TAP_TIMEOUT=1800). */
const CROWD = Number(process.env['CROWD'] ?? 1_000);

/** A session that was answered, or null: it was refused. */
async function served(target: Target): Promise<Wire | null> {
  const wire = await tryDial(target);
  if (typeof wire === 'string') return null;
  wire.socket.write('x');
  const answer = await wire.read(1).catch(() => null);
  if (answer !== null) return wire;
  wire.socket.destroy();
  return null;
}

async function gone(wire: Wire): Promise<void> {
  wire.socket.end();
  await within('the end of a session', wire.closed);
}

t.test('a client has its sessions over two workers, and at no time one more', async (t) => {
  const backends = await startEchoes(t, 1);
  const toml =
    poolText({ name: 'echo', backends }) +
    listenerText({ pool: 'echo', lines: `limits.sessions_per_client = ${EACH}` });
  const daemon = await startDaemon(t, {
    toml,
    workers: 2,
    access: 'off',
    expects: ['worker-lost'],
    everyThread: new URL('../torture/every_thread.js', import.meta.url),
    env: { [SIZES_VARIABLE]: '{}' },
  });
  await daemon.backendsUp('echo', 1);
  const port = await daemon.port('echo');
  const address = (client: number): string => `127.0.${1 + (client >> 6)}.${1 + (client & 63)}`;
  const clients = Array.from({ length: CLIENTS }, (_, client) => client);
  const most = new Array<number>(CLIENTS).fill(0);
  let refused = 0;
  await Promise.all(
    clients.map(async (client) => {
      let now = 0;
      const one = async (): Promise<void> => {
        const wire = await served({ port, localAddress: address(client) });
        if (wire === null) {
          refused++;
          return;
        }
        most[client] = Math.max(most[client] ?? 0, ++now);
        await wire.send('x').then(() => wire.read(1));
        now--;
        await gone(wire);
      };
      await Promise.all(Array.from({ length: TRIES }, one));
    }),
  );
  t.ok(Math.max(...most) <= EACH, `${Math.max(...most)} at a time`);
  t.ok(refused > CLIENTS, `${refused} were refused`);
  await daemon.metricSettles('sluice_sessions_active', {}, (sum) => sum === 0);

  /** What each client gets that begins this many: the sessions stay. */
  const open = new Map<number, Wire[]>(clients.slice(0, KEEPERS).map((client) => [client, []]));
  const over = new Set<Wire>();
  const fill = async (): Promise<void> => {
    for (const [client, wires] of open) {
      const target = { port, localAddress: address(client) };
      const come = await Promise.all(Array.from({ length: EACH + 1 }, () => served(target)));
      for (const wire of come) {
        if (wire === null) continue;
        wires.push(wire);
        void wire.ended.then(() => over.add(wire));
      }
    }
  };
  const counts = (): number[] => [...new Set([...open.values()].map(({ length }) => length))];
  await fill();
  t.same(counts(), [EACH]);

  const lost = daemon.nextEvent('worker-lost');
  const replaced = daemon.nextEvent('worker-started');
  daemon.signal(LOSE_WORKER);
  const { sessions } = await lost;
  t.ok(Number(sessions) > 0, 'it had some of them');
  await replaced;
  const cut = async (): Promise<true | undefined> => {
    let left = 0;
    for (const [client, wires] of open) {
      const here = wires.filter((wire) => !over.has(wire));
      open.set(client, here);
      left += here.length;
    }
    return left === KEEPERS * EACH - Number(sessions) ? true : undefined;
  };
  await eventually('what it had is cut', cut);
  await fill();
  t.same(counts(), [EACH], 'what the lost worker had counted is given back, and no more');

  await daemon.reload(`${toml}\n# changed\n`);
  await fill();
  t.same(counts(), [EACH], 'a reload keeps the counts');
});

t.test(
  'clients of ever new networks are served, and one that is known is not let off',
  async (t) => {
    const backends = await startEchoes(t, 1);
    const daemon = await startDaemon(t, {
      toml:
        poolText({ name: 'echo', backends }) +
        listenerText({
          pool: 'echo',
          lines: `accept_proxy_protocol = true
trusted_proxies = ["127.0.0.1"]
hello_timeout = "1m"
limits.sessions_per_client = 1
limits.new_per_client = "20/s"`,
        }),
      workers: 2,
      access: 'off',
    });
    const port = await daemon.port('echo');
    const from = async (network: number): Promise<Wire | null> => {
      const wire = await tryDial({ port });
      if (typeof wire === 'string') return null;
      wire.socket.write(headerOf(network));
      const answer = await wire.read(1).catch(() => null);
      if (answer === null) wire.socket.destroy();
      return answer === null ? null : wire;
    };
    const known = await from(0);
    t.ok(known, 'the first of its network');
    const before = daemon.rssBytes();
    let next = 1;
    let refused = 0;
    let letOff = 0;
    const work = async (): Promise<void> => {
      while (next <= CROWD) {
        const network = next++;
        const wire = await from(network);
        if (wire === null) refused++;
        else wire.reset();
        if (network % 100 === 0 && (await from(0)) !== null) letOff++;
      }
    };
    await Promise.all(Array.from({ length: 50 }, work));
    const reasons = (await daemon.metrics())
      .select('sluice_refused_total', { listener: 'echo' })
      .flatMap(({ labels, value }) => (value > 0 ? [`${labels['reason']} ${value}`] : []));
    t.equal(refused, 0, `no client is hurt (${reasons.join(', ')})`);
    t.equal(letOff, 0, 'nor let off');
    known?.finish();
    t.comment(`${CROWD} networks: from ${before >> 20} to ${daemon.rssBytes() >> 20} MiB`);
    const left = { listener: 'echo' };
    await daemon.metricSettles('sluice_sessions_active', left, (sum) => sum === 0);
    t.equal((await daemon.metrics()).sum('sluice_clients_uncounted_total'), 0);
  },
);

/** PROXY v2 over TCP of IPv6, from an address of a /64 of its own, and a byte to be echoed. */
function headerOf(network: number): Buffer {
  const header = Buffer.alloc(53);
  header.set(Buffer.from('0d0a0d0a000d0a515549540a21210024', 'hex'));
  for (const at of [16, 32]) header.set(Buffer.from('20010db8', 'hex'), at);
  header.writeUInt32BE(network, 20);
  header.writeUInt32BE(0x0400_1538, 48);
  header[31] = 1;
  header[47] = 1;
  return header;
}

t.test('a listener begins sessions at its rate; the rest waits, and is served', async (t) => {
  const backends = await startEchoes(t, 1);
  const daemon = await startDaemon(t, {
    toml:
      poolText({ name: 'echo', backends }) +
      listenerText({ pool: 'echo', lines: 'limits.new_per_second = 60' }),
    workers: 2,
  });
  await daemon.backendsUp('echo', 1);
  const port = await daemon.port('echo');
  const beganMs = nowMs();
  const wires = await Promise.all(Array.from({ length: 150 }, () => served({ port })));
  t.ok(wires.every((wire) => wire !== null));
  t.ok(nowMs() - beganMs >= 2_000, 'the last of them is in the third second');
});

t.test('one that comes too fast gets a message, as its listener says', async (t) => {
  const backends = await startEchoes(t, 1);
  const limits = (name: string, lines: string): string =>
    listenerText({
      name,
      pool: 'echo',
      lines: `limits.new_per_client = "1/h"\nlimits.burst = 2\n${lines}`,
    });
  const daemon = await startDaemon(t, {
    toml:
      poolText({ name: 'echo', backends }) +
      limits('resets', '') +
      limits('closes', 'limits.action = "close"') +
      limits('delays', 'limits.action = "delay"\nlimits.delay = "1s"') +
      limits('tries', 'limits.dry_run = true') +
      limits('exempts', 'limits.exempt = ["127.0.0.0/8"]'),
    access: 'errors',
  });
  await daemon.backendsUp('echo', 1);
  const third = async (name: string): Promise<Wire | null> => {
    const port = await daemon.port(name);
    for (let n = 0; n < 2; n++) t.ok(await served({ port }), name);
    const wire = await tryDial({ port });
    return typeof wire === 'string' ? null : wire;
  };
  const reset = await third('resets');
  if (reset !== null) t.not(await within('its reset', reset.ended), 'fin');
  const line = await accessLine(daemon, 'the third', ({ listener }) => listener === 'resets');
  t.match(line, { backend: null, outcome: { by: 'sluice', stage: 'accept', cause: 'too-fast' } });
  const closed = await third('closes');
  t.equal(closed && (await within('its end', closed.ended)), 'fin');
  const beganMs = nowMs();
  const delayed = await third('delays');
  t.not(delayed && (await within('its reset', delayed.ended)), 'fin');
  t.ok(nowMs() - beganMs >= 1_000);
  for (const name of ['tries', 'exempts']) {
    await third(name);
    t.ok(await served({ port: await daemon.port(name) }), name);
  }
  await daemon.metricSettles(
    'sluice_would_refuse_total',
    { listener: 'tries', reason: 'too-fast' },
    (sum) => sum === 2,
  );
  await daemon.metricSettles(
    'sluice_refused_total',
    { listener: 'exempts', reason: 'too-fast' },
    (sum) => sum === 0,
  );
});

t.test('a client has its number of flows, and what is more is dropped and counted', async (t) => {
  const echoes = await startUdpEchoes(t, 1);
  const daemon = await startDaemon(t, {
    toml:
      poolText({ name: 'udp', backends: echoes, health: 'probe = "none"' }) +
      listenerText({ pool: 'udp', protocol: 'udp', lines: 'limits.sessions_per_client = 2' }),
    workers: 2,
  });
  const port = await daemon.port('udp');
  const client = (localAddress: string) => udpClient(t, { port, localAddress });
  for (let n = 0; n < 2; n++) {
    t.equal(String((await (await client('127.0.0.7')).ask('hello')).payload), 'hello');
  }
  (await client('127.0.0.7')).send('hello');
  await daemon.metricSettles(
    'sluice_datagrams_dropped_total',
    { reason: 'too-many-sessions' },
    (sum) => sum === 1,
  );
  t.equal(String((await (await client('127.0.0.8')).ask('hello')).payload), 'hello');
});
