/** The kinds of work of a soak, each going on by itself until its time is over. */
import { nowMs, pass } from '../deadline.js';
import type { Target } from '../wire.js';
import { tryDial } from '../wire.js';
import { UdpClient } from './datagrams.js';
import type { EchoBackend } from './echo_backend.js';
import { ENDINGS, endingSession } from './endings.js';
import { MIB, payloadDigest, receiveDigest, sendPayload } from './payload.js';
import { VerifiedStream } from './verified_stream.js';

const BULK_BYTES = 8 * MIB;
const BULK_LIMIT_MS = 60_000;
const STREAM_MS = 4_000;
const DEATH_MS = 1_500;

/** When a backend was dying: sessions on it may have failed. */
export interface Death {
  readonly fromMs: number;
  readonly toMs: number;
}

export class SoakWork {
  readonly wrong: string[] = [];
  readonly deaths: Death[] = [];
  /** Pieces of work done, by kind. */
  readonly done: Record<string, number> = {};
  readonly #untilMs: number;

  constructor(durationMs: number) {
    this.#untilMs = nowMs() + durationMs;
  }

  /** Long echo streams, one after the other. */
  streams(target: Target): Promise<void> {
    return this.#repeat('stream', 10, async (index) => {
      const stream = await VerifiedStream.open(target, index, 10);
      await pass(Math.min(STREAM_MS, Math.max(0, this.#untilMs - nowMs())));
      return (await stream.finish()).failure;
    });
  }

  /** Bulk there and back at once. */
  bulk(target: Target): Promise<void> {
    return this.#repeat('bulk', 300, async (seed) => {
      const wire = await tryDial(target);
      if (typeof wire === 'string') return `connect: ${wire}`;
      const received = receiveDigest(wire.socket, BULK_LIMIT_MS);
      await sendPayload(wire.socket, BULK_BYTES, seed);
      const digest = await received;
      wire.socket.destroy();
      return digest === payloadDigest(BULK_BYTES, seed) ? null : 'SHA-256 differs';
    });
  }

  endings(target: Target): Promise<void> {
    return this.#repeat('ending', 20, (index) =>
      endingSession(target, ENDINGS[index % ENDINGS.length] ?? 'client-fin'),
    );
  }

  /** Flows of a hundred datagrams of all sizes. */
  flows(target: Target): Promise<void> {
    return this.#repeat('flow', 50, async (index) => {
      const client = await UdpClient.open(target);
      try {
        for (let sent = 0; sent < 100; sent++) {
          const payload = Buffer.alloc((index * 7919 + sent * 641) % 9_000, sent);
          const { payload: answer } = await client.ask(payload);
          if (!answer.equals(payload)) return `datagram ${sent} came back changed`;
        }
        return null;
      } finally {
        client.close();
      }
    });
  }

  /** Each backend in turn dies and comes back. */
  deathsOf(backends: readonly EchoBackend[]): Promise<void> {
    return this.#repeat('death', DEATH_MS, async (index) => {
      const backend = backends[index % backends.length];
      const fromMs = nowMs();
      await backend?.kill();
      this.deaths.push({ fromMs, toMs: nowMs() });
      await pass(DEATH_MS);
      await backend?.start();
      return null;
    });
  }

  /** `act` again and again, `pauseMs` apart; it answers what was wrong. */
  async #repeat(
    kind: string,
    pauseMs: number,
    act: (index: number) => Promise<string | null>,
  ): Promise<void> {
    for (let index = 0; nowMs() < this.#untilMs; index++) {
      const wrong = await act(index).catch(String);
      if (wrong !== null) this.wrong.push(`${kind} ${index}: ${wrong}`);
      this.done[kind] = (this.done[kind] ?? 0) + 1;
      await pass(pauseMs);
    }
  }
}
