/** Takes the samples of one case with a real client and a real server. */
import { readUsage, spentBetween } from '../load/watch.js';
import { withEndings } from '../support/endings.js';
import type { CaseName, REAL } from './case_names.js';
import { caseOf } from './cases.js';
import type { Values } from './measures.js';
import type { Done } from './outputs.js';
import { type Peer, type PeerName, startPeer } from './peers.js';
import { REAL_CLIENTS } from './real_clients.js';
import { orderOf } from './rounds.js';
import type { Setting } from './run.js';

const COMPILE_SECONDS = 3;

export async function runReal(
  name: (typeof REAL)[number],
  names: readonly PeerName[],
  { load, pace, recorder, other }: Setting,
): Promise<void> {
  await withEndings(async (scope) => {
    const client = await REAL_CLIENTS[name](scope);
    const backends = { ...load.ready, tcpPorts: [client.port] };
    const peers = new Map<PeerName, Peer>();
    for (const each of names) {
      await recorder.attempt(name, each, async () => {
        const peer = await startPeer(scope, each, { backends, other, front: 'plain' });
        await client.run(peer.tcp.ports[0] ?? 0, COMPILE_SECONDS);
        peers.set(each, peer);
      });
    }
    for (let round = 0; round < pace.rounds; round++) {
      for (const [turn, peer] of orderOf([...peers.values()], round).entries()) {
        await recorder.attempt(name, peer.name, async () => {
          const before = readUsage(peer.pids);
          const done = await client.run(peer.tcp.ports[0] ?? 0, pace.measureMs / 1000);
          const spent = spentBetween(before, readUsage(peer.pids));
          const values = valuesOf(name, peer, done, spent.cpuSeconds);
          recorder.add({ case: name, peer: peer.name, round, turn, values, measured: null });
        });
      }
    }
  });
}

function valuesOf(name: CaseName, peer: Peer, done: Done, cpuSeconds: number): Values {
  const inBytes = caseOf(name).measures.some((measure) => measure === 'megabytes');
  const unit = inBytes ? 1e6 : 1;
  const cpu = (cpuSeconds * 1e6) / (done.count / unit);
  const rate = done.perSecond / unit;
  if (inBytes) return { megabytes: rate, ...(peer.pids.length > 0 ? { cpuMegabyte: cpu } : {}) };
  return { rate, ...(peer.pids.length > 0 ? { cpu } : {}) };
}
