/** Reads the words of a command line by name, with defaults, and collects every problem. */
import { formatDuration, parseDuration } from '../config/quantity.js';

/** As a parser of command lines gives them: by long name in camelCase. */
export type Words = Readonly<Record<string, string | readonly string[] | boolean | undefined>>;

export class WordReader {
  readonly #words: Words;
  readonly #defaults: Words;
  readonly problems: string[] = [];

  constructor(words: Words, defaults: Words) {
    this.#words = words;
    this.#defaults = defaults;
  }

  /** null: neither given nor with a default. */
  text(name: string): string | null {
    const word = this.#words[name] ?? this.#defaults[name];
    return typeof word === 'string' ? word : null;
  }

  whole(name: string, least: number, most: number): number {
    const value = this.decimal(name, least, most);
    if (!Number.isInteger(value)) this.#refuse(name, 'a whole number');
    return value;
  }

  decimal(name: string, least: number, most: number): number {
    const text = this.text(name) ?? '';
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    this.#refuse(name, `a number from ${least} to ${most}`);
    return least;
  }

  /** Milliseconds. */
  duration(name: string): number {
    const ms = parseDuration(this.text(name) ?? '');
    if (ms === null) this.#refuse(name, `a time such as ${formatDuration(250)} or 20s`);
    return ms ?? 0;
  }

  oneOf<T extends string>(name: string, choices: readonly [T, ...T[]]): T {
    const found = choices.find((choice) => choice === this.text(name));
    if (found === undefined) this.#refuse(name, choices.join(', '));
    return found ?? choices[0];
  }

  /** A list with commas between. */
  listOf<T extends string>(name: string, choices: readonly T[]): T[] {
    const parts = (this.text(name) ?? '').split(',');
    const found = parts.flatMap((part) => choices.filter((choice) => choice === part.trim()));
    if (found.length < parts.length) this.#refuse(name, `some of ${choices.join(', ')}`);
    return found;
  }

  /**
   * Every word of an option that may be given several times; `parse` answers a value or what it
   * expected.
   */
  each<T>(name: string, parse: (text: string) => T | string): Exclude<T, string>[] {
    const words = this.#words[name];
    const list = typeof words === 'string' ? [words] : Array.isArray(words) ? words : [];
    return list.flatMap((text: string) => {
      const value = parse(text);
      if (typeof value !== 'string') return [value as Exclude<T, string>];
      this.problems.push(`${flagOf(name)}: expected ${value}, got "${text}"`);
      return [];
    });
  }

  #refuse(name: string, expected: string): void {
    this.problems.push(`${flagOf(name)}: expected ${expected}, got "${this.text(name) ?? ''}"`);
  }
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
