/**
 * One statement of a foreign configuration, and what became of each of its words. A word that
 * no part of the importer has answered for is dropped, and the report says so: nothing can be
 * forgotten.
 */

export interface Place {
  readonly file: string;
  /** 1 or more */
  readonly line: number;
}

/** `FILE:LINE` */
export function placeText({ file, line }: Place): string {
  return `${file}:${line}`;
}

export interface Word {
  /** Without quotes, escapes and variables. */
  readonly value: string;
  /** As it stands in the file. */
  readonly raw: string;
  /** Variables of the environment that are in it. */
  readonly variables?: readonly string[];
}

/** What became of a part of the file. */
export type Treatment = 'translated' | 'changed' | 'dropped';

/** `idle`: it has nothing to do; a later use of it outranks that. */
const RANKS = { idle: 0, translated: 1, changed: 2, dropped: 3 } as const;
type Rank = keyof typeof RANKS;

interface Mark {
  readonly rank: Rank;
  readonly notes: Set<string>;
}

/** A line of the report. */
export interface ReportLine {
  readonly place: Place;
  readonly verdict: Treatment;
  /** The words it is about. */
  readonly text: string;
  /** Where it went, what differs, or why it is dropped. */
  readonly notes: readonly string[];
}

const UNMARKED: Mark = {
  rank: 'dropped',
  notes: new Set(['the importer does not know this word']),
};

export class Statement {
  readonly place: Place;
  readonly words: readonly Word[];
  readonly #marks: (Mark | undefined)[];

  constructor(place: Place, words: readonly Word[]) {
    this.place = place;
    this.words = words;
    this.#marks = words.map(() => undefined);
  }

  value(index: number): string {
    return this.words[index]?.value ?? '';
  }

  /** The values from `from` on. */
  values(from: number): readonly string[] {
    return this.words.slice(from).map(({ value }) => value);
  }

  part(from = 0, to = this.words.length): Part {
    return new Part(this, from, to);
  }

  /** The graver verdict on a word stands; notes of equal ones come together. */
  mark(rank: Rank, note: string, from = 0, to = this.words.length): void {
    for (let index = from; index < Math.min(to, this.words.length); index++) {
      const old = this.#marks[index];
      if (old === undefined || RANKS[rank] > RANKS[old.rank]) {
        this.#marks[index] = { rank, notes: new Set([note]) };
      } else if (rank === old.rank && rank !== 'idle') old.notes.add(note);
    }
  }

  /** There is no verdict on it yet. */
  isUntouched(index: number): boolean {
    return this.#marks[index] === undefined;
  }

  /** The word is not used yet. */
  isOpen(index: number): boolean {
    const mark = this.#marks[index];
    return mark === undefined || mark.rank === 'idle';
  }

  /** Each word of the statement stands in exactly one of them. */
  entries(): readonly ReportLine[] {
    const found: ReportLine[] = [];
    let from = 0;
    for (let index = 1; index <= this.words.length; index++) {
      const isSame = index < this.words.length && same(this.#at(from), this.#at(index));
      if (isSame) continue;
      found.push(this.#entry(from, index));
      from = index;
    }
    return found;
  }

  text(from = 0, to = this.words.length): string {
    return this.words
      .slice(from, to)
      .map(({ raw }) => raw)
      .join(' ');
  }

  #at(index: number): Mark {
    return this.#marks[index] ?? UNMARKED;
  }

  #entry(from: number, to: number): ReportLine {
    const { rank, notes: all } = this.#at(from);
    const notes = [...all];
    const variables = new Set(this.words.slice(from, to).flatMap((word) => word.variables ?? []));
    const entry = { place: this.place, text: this.text(from, to) };
    if (rank === 'dropped' || rank === 'idle' || variables.size === 0) {
      return { ...entry, verdict: rank === 'idle' ? 'translated' : rank, notes };
    }
    const names = [...variables].map((name) => `$${name}`).join(', ');
    const note = `${names}: the value at the import is written down`;
    return { ...entry, verdict: 'changed', notes: [...notes, note] };
  }
}

/** Some words of a statement that belong together, as `inter 3s` of a server. */
export class Part {
  readonly statement: Statement;
  readonly from: number;
  readonly to: number;

  constructor(statement: Statement, from: number, to: number) {
    this.statement = statement;
    this.from = from;
    this.to = to;
  }

  get place(): Place {
    return this.statement.place;
  }

  /** The value of the word at `index` of this part. */
  value(index: number): string {
    return this.from + index < this.to ? this.statement.value(this.from + index) : '';
  }

  text(): string {
    return this.statement.text(this.from, this.to);
  }

  mark(rank: Rank, note: string): void {
    this.statement.mark(rank, note, this.from, this.to);
  }

  /** `mark` is done only if there is no verdict on it yet, or none but that it is idle. */
  unlessMarked(mark: (part: Part) => void): void {
    if (this.statement.isOpen(this.from)) mark(this);
  }

  /** `mark` is done only if there is no verdict on it yet. */
  unlessIdle(mark: (part: Part) => void): void {
    if (this.statement.isUntouched(this.from)) mark(this);
  }

  /** It has nothing to do in the translation, and that changes nothing. */
  idle(why: string): void {
    this.mark('idle', `nothing to do: ${why}`);
  }

  dropped(why: string): void {
    this.mark('dropped', why);
  }

  changed(how: string): void {
    this.mark('changed', how);
  }
}

function same(one: Mark, other: Mark): boolean {
  if (one.rank !== other.rank || one.notes.size !== other.notes.size) return false;
  return [...one.notes].join('\n') === [...other.notes].join('\n');
}
