/**
 * Work that takes long, in stretches of a few milliseconds: at each `yield` the caller may let
 * other work have its turn first.
 */
export type Stretches<Result = void> = Generator<undefined, Result, undefined>;

/** All of it in one go. */
export function atOnce<Result>(work: Stretches<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** Items that are looked at, hashed or placed in one stretch: about a millisecond. */
export const ITEMS_PER_STRETCH = 2_048;

/** Does `each` for the numbers from 0 to `count` - 1. */
export function* inStretches(count: number, each: (index: number) => void): Stretches {
  for (let index = 0; index < count; index++) {
    if (index > 0 && index % ITEMS_PER_STRETCH === 0) yield;
    each(index);
  }
}
