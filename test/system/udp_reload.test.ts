/** Reload under UDP load: flows of unchanged listeners and backends go on. */
import t from 'tap';
import { startDaemon } from '../support/daemon.js';
import { atRate, nowMs, pass } from '../support/deadline.js';
import {
  startUdpEchoes,
  type UdpClient,
  type UdpEcho,
  udpClients,
} from '../support/load/datagrams.js';
import { reloadStorm } from '../support/load/reload_storm.js';
import { listenerText, poolText } from '../support/settings.js';

const STORM_MS = 20_000;
const RELOADS = 200;
const FLOWS = 50;
const DATAGRAMS_PER_SECOND = 5_000;

t.test('200 reloads under 5,000 datagrams a second lose or misdirect none', async (t) => {
  const echoes = await startUdpEchoes(t, 4, 'tagged');
  const three = service(echoes.slice(0, 3), '');
  const four = service(echoes, 'drain_timeout = "4m"');
  const invalid = three.replace('policy', 'polizy');
  const daemon = await startDaemon(t, { toml: three, workers: 2, access: 'off' });
  const clients = await udpClients(t, { port: await daemon.port('udp') }, FLOWS);
  const ledgers = await Promise.all(clients.map(Ledger.open));

  const sending = atRate(DATAGRAMS_PER_SECOND, STORM_MS, (index) => {
    ledgers[index % FLOWS]?.send();
  });
  await reloadStorm(daemon, [four, invalid, three], RELOADS, STORM_MS);
  await sending;
  for (const ledger of ledgers) await ledger.settled();
  t.same(
    ledgers.flatMap((ledger) => ledger.wrong),
    [],
    'every answer is right and from the same backend',
  );
  t.equal((await daemon.metrics()).sum('sluice_datagrams_dropped_total'), 0);
});

/** What one flow has sent and got back. */
class Ledger {
  readonly wrong: string[] = [];
  readonly #client: UdpClient;
  readonly #tag: string;
  #sent = 0;
  readonly #missing = new Set<number>();

  private constructor(client: UdpClient, tag: string) {
    this.#client = client;
    this.#tag = tag;
    client.answers.each(({ payload }) => {
      const answer = payload.toString();
      const [who, number] = [answer.slice(0, 1), Number(answer.slice(1))];
      if (who !== tag) this.wrong.push(`answered by ${who} instead of ${tag}`);
      if (!this.#missing.delete(number)) this.wrong.push(`unexpected answer ${answer}`);
    });
  }

  static async open(client: UdpClient): Promise<Ledger> {
    const { payload } = await client.ask('-1');
    return new Ledger(client, payload.toString().slice(0, 1));
  }

  send(): void {
    this.#missing.add(this.#sent);
    this.#client.send(String(this.#sent++));
  }

  /** Waits for what is still on its way, then tells what is lost. */
  async settled(): Promise<void> {
    const untilMs = nowMs() + 2_000;
    while (this.#missing.size > 0 && nowMs() < untilMs) await pass(20);
    if (this.#missing.size > 0) this.wrong.push(`${this.#tag}: ${this.#missing.size} lost`);
  }
}

function service(echoes: readonly UdpEcho[], lines: string): string {
  return (
    listenerText({ pool: 'udp', protocol: 'udp', lines: 'idle_timeout = "30s"' }) +
    poolText({ name: 'udp', backends: echoes, health: 'probe = "none"', lines })
  );
}
