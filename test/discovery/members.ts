/** Members and answers in a short form. */
import { ipEndpoint } from '../../src/core/endpoint.js';
import {
  type Member,
  membersFound,
  plainMember,
  type SourceAnswer,
} from '../../src/discovery/source.js';

/** `a` is 10.0.0.1:5432, `b` 10.0.0.2:5432 … */
export function member(letter: string, more: Partial<Member> = {}): Member {
  const host = `10.0.0.${letter.charCodeAt(0) - 96}`;
  return { ...plainMember(ipEndpoint(4, host, 5432)), name: letter, ...more };
}

export function members(letters: string): readonly Member[] {
  return [...letters].map((letter) => member(letter));
}

/** An answer that names those. */
export function answer(letters: string): SourceAnswer {
  return membersFound(members(letters), 1_000);
}

export function letters(all: readonly Member[]): string {
  return all.map(({ name }) => name).join('');
}
