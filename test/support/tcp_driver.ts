/**
 * A session machine for engine tests: records every edge in order, answers those that a test gave
 * an answer for, and notes whatever breaks the promises of src/session/tcp_port.ts.
 */
import type { PairId } from '../../src/core/brand.js';
import type { Endpoint } from '../../src/core/endpoint.js';
import type { DialFailure } from '../../src/core/outcome.js';
import type { PathInfo } from '../../src/core/path_info.js';
import type { ListenerKey, PairEnd, TcpEdges, TcpEngine } from '../../src/session/tcp_port.js';
import { within } from './deadline.js';

/** What an edge carried; absent where that kind of edge carries nothing of it. */
export interface Edge {
  readonly kind: keyof TcpEdges;
  readonly pair: PairId | null;
  readonly key?: ListenerKey;
  readonly failure?: DialFailure;
  readonly end?: PairEnd;
  readonly errno?: string;
  readonly byte?: number | null;
  readonly bytes?: Buffer;
}

/** What to do at an edge, inside of it; nothing where a test gives no answer. */
export interface Answers {
  accepted?(pair: PairId, key: ListenerKey): void;
  earlyBytes?(pair: PairId, bytes: Uint8Array): void;
  dialled?(pair: PairId): void;
  asked?(pair: PairId, byte: number | null): void;
  dialFailed?(pair: PairId, failure: DialFailure): void;
  firstByte?(pair: PairId): void;
  heard?(pair: PairId, bytes: Uint8Array): void;
  closed?(pair: PairId, end: PairEnd): void;
  /** Without an answer a broken invariant fails its test. */
  broken?(pair: PairId): void;
}

interface Parting {
  readonly pair: PairId;
  readonly client: PathInfo | null;
  readonly backend: PathInfo | null;
}

export class TcpDriver implements TcpEdges {
  readonly edges: Edge[] = [];
  readonly violations: string[] = [];
  /** What could be said of both connections when they were about to close. */
  readonly partings: Parting[] = [];
  answers: Answers;
  readonly #unclaimed: Edge[] = [];
  readonly #open = new Set<PairId>();
  readonly #closing = new Set<PairId>();
  #calling: PairId | null = null;
  #engine: TcpEngine | null = null;
  #wake: (() => void)[] = [];

  constructor(answers: Answers = {}) {
    this.answers = answers;
  }

  get engine(): TcpEngine {
    if (this.#engine === null) throw new Error('the driver has no engine yet');
    return this.#engine;
  }

  drive(engine: TcpEngine): void {
    this.#engine = engine;
  }

  get openPairs(): number {
    return this.#open.size;
  }

  count(kind: Edge['kind']): number {
    return this.edges.filter((edge) => edge.kind === kind).length;
  }

  /** Answers with `dial` and `relay`: every client gets to `target`. */
  proxyTo(target: Endpoint, prelude: Uint8Array | null = null): void {
    this.answers = {
      accepted: (pair) => this.engine.dial(pair, target, prelude),
      dialled: (pair) => this.engine.relay(pair),
      dialFailed: (pair) => this.close(pair, 'reset'),
    };
  }

  close(pair: PairId, how: 'flush' | 'reset'): void {
    this.#closing.add(pair);
    this.#calling = pair;
    this.engine.close(pair, how);
    this.#calling = null;
  }

  /** The first edge of `kind` (of `pair`, if given) that was not returned by `next` before. */
  async next(kind: Edge['kind'], pair?: PairId): Promise<Edge> {
    const find = (): number =>
      this.#unclaimed.findIndex((e) => e.kind === kind && (pair === undefined || e.pair === pair));
    if (find() === -1) {
      const came = new Promise<void>((resolve) => {
        const look = (): void => {
          if (find() !== -1) resolve();
          else this.#wake.push(look);
        };
        this.#wake.push(look);
      });
      await within(`edge ${kind} (came: ${this.edges.map((e) => e.kind).join(' ')})`, came);
    }
    const [edge] = this.#unclaimed.splice(find(), 1);
    if (edge === undefined) throw new Error(`two tests wait for the same edge ${kind}`);
    return edge;
  }

  /** The number of the next pair that is accepted. */
  async nextPair(): Promise<PairId> {
    const { pair } = await this.next('accepted');
    if (pair === null) throw new Error('accepted carries a pair');
    return pair;
  }

  async nextEnd(): Promise<PairEnd> {
    const { end } = await this.next('closed');
    if (end === undefined) throw new Error('closed carries an end');
    return end;
  }

  accepted(key: ListenerKey, pair: PairId): void {
    if (this.#open.has(pair)) this.violations.push(`pair ${pair} was accepted while it was open`);
    this.#open.add(pair);
    this.#record({ kind: 'accepted', pair, key });
    this.answers.accepted?.(pair, key);
  }

  earlyBytes(pair: PairId, bytes: Uint8Array): void {
    this.#record({ kind: 'earlyBytes', pair, bytes: Buffer.from(bytes) });
    this.answers.earlyBytes?.(pair, bytes);
  }

  dialled(pair: PairId): void {
    this.#record({ kind: 'dialled', pair });
    this.answers.dialled?.(pair);
  }

  asked(pair: PairId, byte: number | null): void {
    this.#record({ kind: 'asked', pair, byte });
    this.answers.asked?.(pair, byte);
  }

  dialFailed(pair: PairId, failure: DialFailure): void {
    this.#record({ kind: 'dialFailed', pair, failure });
    this.answers.dialFailed?.(pair, failure);
  }

  firstByte(pair: PairId): void {
    this.#record({ kind: 'firstByte', pair });
    this.answers.firstByte?.(pair);
  }

  heard(pair: PairId, bytes: Uint8Array): void {
    this.#record({ kind: 'heard', pair, bytes: Buffer.from(bytes) });
    this.answers.heard?.(pair, bytes);
  }

  parting(pair: PairId): void {
    const { engine } = this;
    const [client, backend] = [engine.path(pair, 'client'), engine.path(pair, 'backend')];
    if (!this.#open.has(pair)) this.violations.push(`parting came for pair ${pair}, not open`);
    this.partings.push({ pair, client, backend });
  }

  closed(pair: PairId, end: PairEnd): void {
    if (this.#calling === pair) this.violations.push(`closed came from inside close(${pair})`);
    this.#record({ kind: 'closed', pair, end });
    try {
      this.answers.closed?.(pair, end);
    } finally {
      this.#open.delete(pair);
      this.#closing.delete(pair);
    }
  }

  broken(pair: PairId, error: unknown): void {
    if (this.answers.broken === undefined) throw error;
    this.answers.broken(pair);
  }

  acceptFailed(key: ListenerKey, errno: string): void {
    this.#record({ kind: 'acceptFailed', pair: null, key, errno });
  }

  #record(edge: Edge): void {
    const { kind, pair } = edge;
    if (pair !== null && !this.#open.has(pair)) {
      this.violations.push(`${kind} came for pair ${pair}, which is not open`);
    }
    if (pair !== null && this.#closing.has(pair) && kind !== 'closed') {
      this.violations.push(`${kind} came for pair ${pair} after close`);
    }
    this.edges.push(edge);
    this.#unclaimed.push(edge);
    for (const wake of this.#wake.splice(0)) wake();
  }
}
