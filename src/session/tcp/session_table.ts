/** The TCP sessions of a worker, by the numbers of their pairs. */
import { assertShared, presentShared } from '../../core/assert.js';
import type { PairId } from '../../core/brand.js';
import type { TcpSession } from './session.js';

export class SessionTable {
  readonly byPair: (TcpSession | null)[] = [];
  #count = 0;

  /** Sessions that are not over. */
  get count(): number {
    return this.#count;
  }

  add(session: TcpSession): void {
    const { pair } = session;
    assertShared(this.find(pair) === null, 'an engine used a pair again before it was closed');
    this.byPair[pair] = session;
    this.#count++;
  }

  remove({ pair }: TcpSession): void {
    this.byPair[pair] = null;
    this.#count--;
  }

  find(pair: number): TcpSession | null {
    return this.byPair[pair] ?? null;
  }

  at(pair: PairId): TcpSession {
    return presentShared(this.byPair[pair], 'an engine reported an edge of a pair that is closed');
  }

  /** Those that have a place at their listener. */
  open(): TcpSession[] {
    if (this.#count === 0) return [];
    return this.byPair.filter(
      (session): session is TcpSession => session !== null && session.phase.at !== 'entering',
    );
  }
}
