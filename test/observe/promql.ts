/** Enough of PromQL to say which metrics, labels and values an expression asks for. */

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  /** With `_bucket`, `_sum` or `_count` of a histogram. */
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Query {
  readonly selectors: readonly Selector[];
  /** Labels that the clauses by, on and group_left name. */
  readonly kept: readonly string[];
  /** Those that without and ignoring name. */
  readonly dropped: readonly string[];
}

const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset']);
const CLAUSE = /\b(by|on|group_left|group_right|without|ignoring)\s*\(([^)]*)\)/g;
const MATCHER = /(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g;

export function readQuery(text: string): Query {
  const clauses = [...text.matchAll(CLAUSE)].map(([, word = '', labels = '']) => ({
    word,
    labels: labels.split(',').flatMap((label) => label.trim() || []),
  }));
  const drops = (word: string): boolean => word === 'without' || word === 'ignoring';
  const bare = text.replace(CLAUSE, ' ').replace(/\[[^\]]*\]/g, ' ');
  // A name, then its matchers if it has any; a name before a parenthesis is a function.
  const names = bare.matchAll(/(?<![\w.:$"])([a-zA-Z_:][\w:]*)\s*(?:\{([^}]*)\})?(\s*\()?/g);
  return {
    selectors: [...names]
      .filter(([, name = '', , call]) => call === undefined && !WORDS.has(name))
      .map(([, metric = '', inside = '']) => ({ metric, matchers: matchersIn(inside) })),
    kept: clauses.flatMap(({ word, labels }) => (drops(word) ? [] : labels)),
    dropped: clauses.flatMap(({ word, labels }) => (drops(word) ? labels : [])),
  };
}

function matchersIn(text: string): readonly Matcher[] {
  return [...text.matchAll(MATCHER)].map(([, label = '', operator = '', value = '']) => ({
    label,
    operator,
    value,
  }));
}
