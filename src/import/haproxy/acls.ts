/** ACLs of HAProxy: conditions on the client's address and on the server name of TLS. */
import { ownBlockText } from '../access.js';
import { lookUp } from '../look_up.js';
import type { Part, Statement } from '../statement.js';
import type { ProxySettings } from './proxy.js';

/** One test of a condition; `other` is everything that sluice cannot ask for. */
export type AclTest =
  | {
      readonly on: 'client';
      readonly blocks: readonly string[];
      /** Absolute paths of lists with more of them. */
      readonly files: readonly string[];
      readonly negated: Negated;
    }
  | { readonly on: 'server name'; readonly names: readonly string[]; readonly negated: Negated }
  /** True while a TLS hello has come; no route needs to ask for it. */
  | { readonly on: 'hello'; readonly negated: Negated }
  | { readonly on: 'always'; readonly negated: Negated }
  | { readonly on: 'other'; readonly why: string; readonly negated: Negated };

export type Negated = 'as it is' | 'negated';

/** Any of its lists; of each list all tests. */
export type AclCondition = readonly (readonly AclTest[])[];

export interface Rule {
  readonly statement: Statement;
  /** The words before the condition. */
  readonly action: Part;
  readonly condition: AclCondition;
  /** The ACLs that it names. */
  readonly acls: readonly Statement[];
}

const PREDEFINED: Readonly<Record<string, AclTest>> = {
  TRUE: { on: 'always', negated: 'as it is' },
  FALSE: { on: 'always', negated: 'negated' },
  LOCALHOST: {
    on: 'client',
    blocks: ['127.0.0.0/8', '::1/128'],
    files: [],
    negated: 'as it is',
  },
  WAIT_END: { on: 'always', negated: 'as it is' },
  REQ_CONTENT: { on: 'always', negated: 'as it is' },
};

/** Reads the condition of `statement`, whose `if` or `unless` stands at `from` or nowhere. */
export function ruleOf(proxy: ProxySettings, statement: Statement, from: number): Rule {
  const words = statement.values(0);
  const at = words.findIndex(
    (word, index) => index >= from && (word === 'if' || word === 'unless'),
  );
  const action = statement.part(0, at === -1 ? words.length : at);
  if (at === -1) {
    return { statement, action, condition: [[{ on: 'always', negated: 'as it is' }]], acls: [] };
  }
  const reader = new ConditionReader(proxy, words.slice(at + 1));
  const condition = reader.read();
  return {
    statement,
    action,
    condition: words[at] === 'unless' ? opposite(condition) : condition,
    acls: reader.acls,
  };
}

class ConditionReader {
  readonly acls: Statement[] = [];
  readonly #proxy: ProxySettings;
  readonly #words: readonly string[];

  constructor(proxy: ProxySettings, words: readonly string[]) {
    this.#proxy = proxy;
    this.#words = words;
  }

  read(): AclCondition {
    let all: AclTest[] = [];
    const any = [all];
    let negated: Negated = 'as it is';
    for (let at = 0; at < this.#words.length; at++) {
      let word = this.#words[at] ?? '';
      if (word === '||' || word === 'or') {
        all = [];
        any.push(all);
        continue;
      }
      while (word.startsWith('!')) {
        negated = flipped(negated);
        word = word.slice(1);
      }
      if (word === '') continue;
      if (word === '{') {
        const end = this.#words.indexOf('}', at);
        const inner = this.#words.slice(at + 1, end === -1 ? undefined : end);
        all.push(signed(testOf(inner), negated));
        at = end === -1 ? this.#words.length : end;
      } else all.push(signed(this.#named(word), negated));
      negated = 'as it is';
    }
    return any;
  }

  /** Statements of one name add up. */
  #named(name: string): AclTest {
    const own = this.#proxy.acls(name);
    this.acls.push(...own);
    const known = lookUp(PREDEFINED, name);
    if (own.length === 0) return known ?? other(`there is no ACL ${name}`);
    const tests = own.map((statement) => testOf(statement.values(2)));
    return tests.reduce(joined);
  }
}

function joined(one: AclTest, next: AclTest): AclTest {
  if (one.on === 'client' && next.on === 'client') {
    const files = [...one.files, ...next.files];
    return { ...one, blocks: [...one.blocks, ...next.blocks], files };
  }
  if (one.on === 'server name' && next.on === 'server name') {
    return { ...one, names: [...one.names, ...next.names] };
  }
  return other('the ACL has conditions of several kinds');
}

const NAME_FETCH = /^req[._]ssl_sni(?:,lower)?$/;

/** Those of patterns: HAProxy's configuration manual, section 7.1. */
const FLAG = /^-[ifmMnu]$/;

function testOf([fetch = '', ...words]: readonly string[]): AclTest {
  const flags: string[] = [];
  const files: string[] = [];
  let at = 0;
  for (; words[at]?.startsWith('-') === true; at++) {
    const flag = words[at] ?? '';
    if (flag === '--') {
      at++;
      break;
    }
    if (flag === '-M') return other('its patterns are in a map');
    if (flag === '-f') files.push(words[++at] ?? '');
    else flags.push(flag === '-m' ? `-m ${words[++at] ?? ''}` : flag);
  }
  const patterns = words.slice(at);
  const late = words[at - 1] === '--' ? undefined : patterns.find((word) => FLAG.test(word));
  if (late !== undefined) {
    return other(`${late} stands behind a pattern, where HAProxy takes it for one, too`);
  }
  if (fetch === 'src') return clientTest(flags, patterns, files);
  if (files.length > 0) return other('its patterns are in a file');
  if (/^req[._](?:ssl_hello_type|len|ssl_ver)$/.test(fetch)) {
    return { on: 'hello', negated: 'as it is' };
  }
  const matched = /^req[._]ssl_sni_(end|dom|reg|beg|sub)$/.exec(fetch);
  if (matched !== null) return nameTest([...flags, `-m ${matched[1]}`], patterns);
  return NAME_FETCH.test(fetch) ? nameTest(flags, patterns) : other(`it asks for ${fetch}`);
}

function clientTest(
  flags: readonly string[],
  patterns: readonly string[],
  files: readonly string[],
): AclTest {
  const odd = flags.filter((flag) => flag !== '-n' && flag !== '-m ip');
  const blocks = patterns.map(ownBlockText);
  const bad = patterns.find((_, index) => blocks[index] === null);
  if (odd.length > 0) return other(`it matches with ${odd[0]}`);
  if (bad !== undefined || patterns.length + files.length === 0) {
    return other(`${bad ?? 'nothing'} is not an address`);
  }
  const odder = files.find((file) => !file.startsWith('/'));
  if (odder !== undefined)
    return other(`its addresses are in ${odder}, which is not an absolute path`);
  const known = blocks.filter((block) => block !== null);
  return { on: 'client', blocks: known, files, negated: 'as it is' };
}

function nameTest(flags: readonly string[], patterns: readonly string[]): AclTest {
  const isEnd = flags.includes('-m end');
  const odd = flags.filter((flag) => !['-i', '-m str', '-m end'].includes(flag));
  if (odd.length > 0) return other(`it matches a server name with ${odd[0]}`);
  const names = patterns.map((pattern) => (isEnd ? `*${pattern}` : pattern));
  const bad = names.find((name) => !/^(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/.test(name));
  if (bad !== undefined || names.length === 0)
    return other(`${bad ?? 'nothing'} is not a server name`);
  return { on: 'server name', names: names.map((name) => name.toLowerCase()), negated: 'as it is' };
}

function other(why: string): AclTest {
  return { on: 'other', why, negated: 'as it is' };
}

function flipped(negated: Negated): Negated {
  return negated === 'negated' ? 'as it is' : 'negated';
}

function signed(test: AclTest, negated: Negated): AclTest {
  return negated === 'negated' ? { ...test, negated: flipped(test.negated) } : test;
}

/** The opposite of one test, or of any of several; of others it is not known. */
function opposite(condition: AclCondition): AclCondition {
  if (condition.every((all) => all.length === 1)) {
    return [condition.flatMap((all) => all.map((test) => signed(test, 'negated')))];
  }
  const [only, ...more] = condition;
  if (only !== undefined && more.length === 0) return only.map((test) => [signed(test, 'negated')]);
  return [[other('"unless" with a condition that combines "and" and "or"')]];
}
