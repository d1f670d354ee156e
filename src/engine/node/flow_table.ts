/** The UDP flows of the node engine by their numbers, and what is counted of each. */
import { present } from '../../core/assert.js';
import type { FlowId } from '../../core/brand.js';
import type { Clock } from '../../core/clock.js';
import type { NodeFlow } from './udp_flow.js';

/** The session's counters are looked at after traffic, but not more often than this. */
const TOUCH_MS = 100;

export class FlowTable {
  readonly capacity: number;
  readonly lastActivityMs: Float64Array;
  readonly bytesIn: Float64Array;
  readonly bytesOut: Float64Array;
  readonly datagramsIn: Float64Array;
  readonly datagramsOut: Float64Array;
  readonly #clock: Clock;
  readonly #touch: () => void;
  readonly #flows: (NodeFlow | undefined)[] = [];
  /** Numbers below `#flows.length` that are free. */
  readonly #free: FlowId[] = [];
  #touchedMs = 0;

  /** `touch`: counters have changed. */
  constructor(capacity: number, clock: Clock, touch: () => void) {
    this.capacity = capacity;
    this.#clock = clock;
    this.#touch = touch;
    this.lastActivityMs = new Float64Array(capacity);
    this.bytesIn = new Float64Array(capacity);
    this.bytesOut = new Float64Array(capacity);
    this.datagramsIn = new Float64Array(capacity);
    this.datagramsOut = new Float64Array(capacity);
  }

  /** True while there is no flow. */
  get isEmpty(): boolean {
    return this.#flows.length === this.#free.length;
  }

  /** null: there are as many flows as there may be. */
  takeNumber(): FlowId | null {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    return this.#flows.length < this.capacity ? (this.#flows.length as FlowId) : null;
  }

  /** With a number that was taken; its counters begin at zero. */
  add(flow: NodeFlow): void {
    const { id } = flow;
    this.#flows[id] = flow;
    this.lastActivityMs[id] = this.#clock.nowMs();
    this.bytesIn[id] = 0;
    this.bytesOut[id] = 0;
    this.datagramsIn[id] = 0;
    this.datagramsOut[id] = 0;
  }

  remove(id: FlowId): void {
    this.#flows[id] = undefined;
    this.#free.push(id);
  }

  get(id: FlowId): NodeFlow {
    return present(this.#flows[id], 'a flow is open when it is asked about');
  }

  /** False when it is over, and its number perhaps another's. */
  has(flow: NodeFlow): boolean {
    return this.#flows[flow.id] === flow;
  }

  all(): NodeFlow[] {
    return this.#flows.filter((flow) => flow !== undefined);
  }

  /** `bytes` and `datagrams` are those of one way. */
  count(id: FlowId, bytes: Float64Array, datagrams: Float64Array, length: number, count = 1): void {
    const nowMs = this.#clock.nowMs();
    bytes[id] = (bytes[id] ?? 0) + length;
    datagrams[id] = (datagrams[id] ?? 0) + count;
    this.lastActivityMs[id] = nowMs;
    if (nowMs < this.#touchedMs + TOUCH_MS) return;
    this.#touchedMs = nowMs;
    this.#touch();
  }
}
