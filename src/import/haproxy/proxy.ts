/**
 * A proxy of HAProxy with everything that it inherits: for each setting the statement that counts.
 * A statement that another one overrides has nothing to do.
 */
import { type Part, placeText, type Statement } from '../statement.js';
import type { ProxySection } from './sections.js';

/** Words of two, as `timeout client` or `option redispatch`. */
const WITH_SUBJECT = new Set(['timeout', 'option', 'stats', 'http-check', 'tcp-check']);

/** Of these all count, in their order. */
const MANY = new Set([
  'server',
  'server-template',
  'default-server',
  'bind',
  'acl',
  'tcp-request',
  'use_backend',
  'tcp-check',
  'http-check',
  'stick',
  'log',
  'stats',
]);

/** What a `defaults` section does not hand down. */
const NOT_INHERITED = new Set(['bind', 'server', 'server-template', 'use_backend', 'stick']);

export class ProxySettings {
  readonly section: ProxySection;
  readonly #single = new Map<string, Statement>();
  readonly #many = new Map<string, Statement[]>();
  /** By their names. */
  readonly #acls = new Map<string, Statement[]>();

  constructor(section: ProxySection) {
    this.section = section;
    const chain: ProxySection[] = [];
    for (let one: ProxySection | null = section; one !== null; one = one.parent) chain.unshift(one);
    for (const { body } of chain) for (const statement of body) this.#add(statement);
  }

  get name(): string {
    return this.section.name;
  }

  get head(): Part {
    return this.section.head.part();
  }

  /** The statement that counts for `key`, as `timeout client`; undefined: none, or it is off. */
  setting(key: string): Part | undefined {
    const statement = this.#single.get(key);
    return statement === undefined || statement.value(0) === 'no' ? undefined : statement.part();
  }

  /** All statements that begin with `word`. */
  all(word: string): readonly Statement[] {
    return this.#many.get(word) ?? [];
  }

  /** The `acl` statements of one name. */
  acls(name: string): readonly Statement[] {
    return this.#acls.get(name) ?? [];
  }

  /** Own and inherited statements that count. */
  statements(): readonly Statement[] {
    return [...this.#single.values(), ...[...this.#many.values()].flat()];
  }

  #add(statement: Statement): void {
    const first = statement.value(0) === 'no' ? 1 : 0;
    const word = statement.value(first);
    if (MANY.has(word)) {
      added(this.#many, word, statement);
      if (word === 'acl') added(this.#acls, statement.value(1), statement);
      return;
    }
    const key = WITH_SUBJECT.has(word) ? `${word} ${statement.value(first + 1)}` : word;
    const old = this.#single.get(key);
    old?.part().idle(`${placeText(statement.place)} replaces it`);
    // The newest stands last: of two checks the later one counts.
    this.#single.delete(key);
    this.#single.set(key, statement);
  }
}

function added(lists: Map<string, Statement[]>, key: string, statement: Statement): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [statement]);
  else list.push(statement);
}

/** What a section of defaults has and cannot hand down is of no use, for HAProxy too. */
export function markUseless(defaults: ProxySection): void {
  for (const statement of defaults.body) {
    if (NOT_INHERITED.has(statement.value(0)))
      statement.part().idle('it cannot be inherited from defaults');
  }
}
