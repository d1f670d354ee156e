/** An HAProxy configuration as sections of statements. */
import { err, ok, type Result } from '../../core/result.js';
import type { ImportSyntaxFault, SourceText } from '../source.js';
import { placeText, Statement } from '../statement.js';
import { Conditions } from './conditions.js';
import { joinedLines, wordsOf } from './words.js';

const PROXIES = ['defaults', 'listen', 'frontend', 'backend'] as const;
const NAMED = ['peers', 'resolvers', 'userlist', 'mailers', 'program', 'http-errors', 'ring'];
const OTHERS = ['log-forward', 'cache', 'fcgi-app', 'crt-store', 'traces', 'log-profile', 'acme'];

export type SectionKind = 'global' | (typeof PROXIES)[number] | 'resolvers' | 'peers' | 'other';

export interface ProxySection {
  readonly kind: SectionKind;
  readonly name: string;
  /** The `defaults` that it inherits from. */
  readonly parent: ProxySection | null;
  readonly head: Statement;
  readonly body: Statement[];
}

export interface HaproxyTree {
  readonly sections: readonly ProxySection[];
  /** All statements, in their order. */
  readonly statements: readonly Statement[];
}

const ENVIRONMENT = new Set(['setenv', 'presetenv', 'unsetenv', 'resetenv']);

/** Reads files in their order, as one configuration. */
export function readSections(
  sources: readonly SourceText[],
  environment: ReadonlyMap<string, string>,
): Result<HaproxyTree, ImportSyntaxFault> {
  const reader = new SectionReader(environment);
  for (const source of sources) {
    const fault = reader.read(source);
    if (fault !== null) return err(fault);
  }
  return ok({ sections: reader.sections, statements: reader.statements });
}

class SectionReader {
  readonly sections: ProxySection[] = [];
  readonly statements: Statement[] = [];
  readonly #variables: Map<string, string>;
  readonly #conditions: Conditions;
  /** By `frontend NAME` and `backend NAME`: a listen is both. */
  readonly #proxies = new Map<string, ProxySection>();
  readonly #defaults = new Map<string, ProxySection>();
  #lastDefaults: ProxySection | null = null;
  #section: ProxySection | null = null;

  constructor(environment: ReadonlyMap<string, string>) {
    this.#variables = new Map(environment);
    this.#conditions = new Conditions(this.#variables);
  }

  read({ file, text }: SourceText): ImportSyntaxFault | null {
    // A file that is given after another one begins outside of its sections.
    this.#section = null;
    for (const { line, text: content } of joinedLines(text)) {
      const words = wordsOf(content, this.#variables);
      if (!words.ok) return { file, line, problem: words.error };
      if (words.value.length === 0) continue;
      const statement = new Statement({ file, line }, words.value);
      this.statements.push(statement);
      const problem = this.#take(statement);
      if (problem !== null) return { file, line, problem };
    }
    const open = this.#conditions.unclosed();
    return open === null ? null : { ...open.place, problem: '.if without an .endif' };
  }

  #take(statement: Statement): string | null {
    const first = statement.value(0);
    if (/^\.[a-z]/.test(first)) return this.#conditions.take(statement);
    if (this.#conditions.hides(statement)) return null;
    const kind = kindOf(first);
    if (kind !== null) return this.#open(kind, statement);
    if (this.#section === null) {
      return `${JSON.stringify(first)} stands before any section (global, defaults, listen …)`;
    }
    if (this.#section.kind === 'global' && ENVIRONMENT.has(first))
      return this.#setVariable(statement);
    this.#section.body.push(statement);
    return null;
  }

  #open(kind: SectionKind, head: Statement): string | null {
    const needsName = kind !== 'global' && kind !== 'defaults' && kind !== 'other';
    const hasName = head.value(1) !== '' && head.value(1) !== 'from';
    if (needsName && !hasName) return `${head.value(0)} without a name`;
    const name = hasName ? head.value(1) : '';
    const fromAt = hasName ? 2 : 1;
    const from = head.value(fromAt) === 'from' ? head.value(fromAt + 1) : null;
    const parent = from === null ? this.#inherited(kind) : (this.#defaults.get(from) ?? null);
    if (from !== null && parent === null) return `from ${from}: there is no such defaults section`;
    const isProxy = kind === 'listen' || kind === 'frontend' || kind === 'backend';
    const sides = isProxy ? sidesOf(kind).map((side) => `${side} ${name}`) : [];
    const twin = sides.map((side) => this.#proxies.get(side)).find((one) => one !== undefined);
    if (twin !== undefined) return `${name} is already the name of ${placeText(twin.head.place)}`;
    const section: ProxySection = { kind, name, parent, head, body: [] };
    this.sections.push(section);
    for (const side of sides) this.#proxies.set(side, section);
    this.#section = section;
    if (kind === 'defaults') {
      this.#lastDefaults = section;
      if (name !== '') this.#defaults.set(name, section);
    }
    const spoken = kind === 'global' ? 1 : from === null ? fromAt : fromAt + 2;
    head.mark('idle', 'its name', 0, kind === 'other' ? head.words.length : spoken);
    return null;
  }

  #inherited(kind: SectionKind): ProxySection | null {
    return kind === 'listen' || kind === 'frontend' || kind === 'backend'
      ? this.#lastDefaults
      : null;
  }

  #setVariable(statement: Statement): null {
    const [action, name, ...value] = statement.values(0);
    if (action === 'resetenv') {
      const kept = new Set(statement.values(1));
      for (const one of [...this.#variables.keys()])
        if (!kept.has(one)) this.#variables.delete(one);
    } else if (name !== undefined && action === 'unsetenv') {
      for (const one of statement.values(1)) this.#variables.delete(one);
    } else if (name !== undefined && (action === 'setenv' || !this.#variables.has(name))) {
      this.#variables.set(name, value.join(' '));
    }
    statement.part().idle('variables are replaced by their values');
    return null;
  }
}

function kindOf(word: string): SectionKind | null {
  if (word === 'global' || word === 'resolvers' || word === 'peers') return word;
  const proxy = PROXIES.find((kind) => kind === word);
  if (proxy !== undefined) return proxy;
  return NAMED.includes(word) || OTHERS.includes(word) ? 'other' : null;
}

/** A frontend and a backend may share a name. */
function sidesOf(kind: 'listen' | 'frontend' | 'backend'): readonly string[] {
  return kind === 'listen' ? ['frontend', 'backend'] : [kind];
}
