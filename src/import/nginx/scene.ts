/** What every part of an nginx import works on. */
import type { Capabilities } from '../capabilities.js';
import type { Claims } from '../claims.js';
import type { Draft } from '../draft.js';
import type { Names } from '../names.js';
import type { Part, Statement } from '../statement.js';
import type { StatementNode } from './words.js';

export interface NginxScene {
  readonly draft: Draft;
  readonly has: Capabilities;
  readonly claims: Claims;
  readonly listenerNames: Names;
  readonly poolNames: Names;
  readonly upstreams: ReadonlyMap<string, StatementNode>;
  /** By the variable that they set. */
  readonly maps: ReadonlyMap<string, StatementNode>;
  /** Zones of `limit_conn` that count by the address of the client. */
  readonly zones: ReadonlyMap<string, Statement>;
  /** Pools by upstream and by what servers ask of them. */
  readonly pools: Map<string, string>;
}

/** What counts in a block: its own directives, else those around it. */
export class Settings {
  readonly #own: readonly StatementNode[];
  readonly #outer: readonly StatementNode[];

  constructor(own: readonly StatementNode[], outer: readonly StatementNode[]) {
    this.#own = own;
    this.#outer = outer;
  }

  one(name: string): Part | undefined {
    return this.all(name).at(-1);
  }

  all(name: string): readonly Part[] {
    const own = named(this.#own, name);
    const found = own.length > 0 ? own : named(this.#outer, name);
    return found.map((statement) => statement.part());
  }
}

/** The statements of a block by their names: thousands of servers ask the block around them. */
const byBlock = new WeakMap<readonly StatementNode[], ReadonlyMap<string, Statement[]>>();

function named(nodes: readonly StatementNode[], name: string): readonly Statement[] {
  const known = byBlock.get(nodes) ?? byName(nodes);
  byBlock.set(nodes, known);
  return known.get(name) ?? [];
}

function byName(nodes: readonly StatementNode[]): ReadonlyMap<string, Statement[]> {
  const found = new Map<string, Statement[]>();
  for (const { statement } of nodes) {
    const list = found.get(statement.value(0));
    if (list === undefined) found.set(statement.value(0), [statement]);
    else list.push(statement);
  }
  return found;
}
