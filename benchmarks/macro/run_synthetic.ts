/** Takes the samples of one case whose load is ours. */
import type { Work } from '../load/protocol.js';
import { type Endings, withEndings } from '../support/endings.js';
import type { CaseName } from './case_names.js';
import { RATE_TO_BE_FOUND, type SyntheticCase, valuesOf } from './cases.js';
import { type Peer, type PeerName, type PeerSetup, startPeer } from './peers.js';
import { orderOf } from './rounds.js';
import type { Pace, Setting } from './run.js';

/** `p999` offers half of what the slower of these can carry. */
const COMPARED: readonly PeerName[] = ['haproxy', 'uring'];

export async function runSynthetic(
  name: CaseName,
  theCase: SyntheticCase,
  names: readonly PeerName[],
  setting: Setting,
): Promise<void> {
  const { load, pace, recorder } = setting;
  const setup = setupOf(theCase, setting);
  await withEndings(async (scope) => {
    const fresh = theCase.peersAre === 'fresh';
    const kept: ReadonlyMap<PeerName, Peer> = fresh
      ? new Map()
      : await startAll(scope, name, names, setting, setup);
    const work = await prepared(name, theCase, [...kept.values()], setting);
    const present = fresh ? names : [...kept.keys()];
    const rounds = Math.min(pace.rounds, theCase.mostRounds ?? pace.rounds);
    for (let round = 0; round < rounds; round++) {
      for (const [turn, peer] of orderOf(present, round).entries()) {
        await recorder.attempt(name, peer, () =>
          withEndings(async (turnScope) => {
            const used = kept.get(peer) ?? (await startPeer(turnScope, peer, setup));
            const { warmMs } = pace;
            const measureMs = pace.measureMs * Math.min(theCase.stretch ?? 1, pace.mostStretch);
            const measured = await load.measure({
              target: theCase.protocol === 'tcp' ? used.tcp : used.udp,
              work,
              warmMs,
              measureMs,
              pids: used.pids,
            });
            const values = valuesOf(work, measured);
            recorder.add({ case: name, peer, round, turn, values, measured });
          }),
        );
      }
    }
  });
}

function setupOf({ front = 'plain' }: SyntheticCase, { load, other }: Setting): PeerSetup {
  return { backends: load.ready, other, front };
}

/** Starts all that can be started; peers that cannot are reported to `recorder`. */
async function startAll(
  scope: Endings,
  name: CaseName,
  names: readonly PeerName[],
  { recorder }: Setting,
  setup: PeerSetup,
): Promise<ReadonlyMap<PeerName, Peer>> {
  const peers = new Map<PeerName, Peer>();
  for (const each of names) {
    await recorder.attempt(name, each, async () => {
      peers.set(each, await startPeer(scope, each, setup));
    });
  }
  return peers;
}

/** One turn of every peer that does not count, so that code is compiled; and the offered load. */
async function prepared(
  name: CaseName,
  theCase: SyntheticCase,
  peers: readonly Peer[],
  { load, pace, recorder }: Setting,
): Promise<Work> {
  const work = scaled(theCase.work, pace);
  if (theCase.peersAre === 'fresh') return work;
  const { kind } = work;
  const trial: Work = kind === 'offered' ? { ...work, kind: 'exchanges', waiting: 'blocks' } : work;
  const rates = new Map<PeerName, number>();
  for (const peer of peers) {
    await recorder.attempt(name, peer.name, async () => {
      const target = theCase.protocol === 'tcp' ? peer.tcp : peer.udp;
      const span = { warmMs: pace.compileMs, measureMs: pace.measureMs };
      const measured = await load.measure({ target, work: trial, ...span, pids: peer.pids });
      rates.set(peer.name, measured.count / measured.seconds);
    });
  }
  if (work.kind !== 'offered' || work.perSecond !== RATE_TO_BE_FOUND) return work;
  const compared = COMPARED.flatMap((peer) => rates.get(peer) ?? []);
  const slowest = Math.min(...(compared.length > 0 ? compared : rates.values()));
  const perSecond = Math.round(slowest / 2);
  recorder.note(name, `${perSecond.toLocaleString('en')} exchanges per second were offered`);
  return { ...work, perSecond };
}

function scaled(work: Work, pace: Pace): Work {
  if (work.kind !== 'held') return work;
  const sessions = Math.min(work.sessions, pace.heldSessions);
  const settleMs = Math.min(work.settleMs, pace.settleMs);
  return { ...work, few: Math.min(work.few, sessions / 2), sessions, settleMs };
}
