/** The flows of a worker, by their numbers at the engine. */
import { assertShared, presentShared } from '../../core/assert.js';
import type { FlowId } from '../../core/brand.js';
import type { UdpFlow } from './flow.js';

export class OpenFlows {
  readonly byId: (UdpFlow | undefined)[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  mustBeFree(id: FlowId): void {
    assertShared(this.byId[id] === undefined, 'an engine used a flow before it was closed');
  }

  add(flow: UdpFlow): void {
    this.byId[flow.id] = flow;
    this.#count++;
  }

  remove({ id }: UdpFlow): void {
    this.byId[id] = undefined;
    this.#count--;
  }

  find(id: FlowId | null): UdpFlow | undefined {
    return id === null ? undefined : this.byId[id];
  }

  at(id: FlowId): UdpFlow {
    return presentShared(this.byId[id], 'an engine reported an edge of a flow that is closed');
  }

  all(): UdpFlow[] {
    return this.#count === 0 ? [] : this.byId.filter((flow) => flow !== undefined);
  }
}
