/**
 * Where in the file the setting is that the machine refused. The text of a file in use is not kept,
 * so it is read again: if it has another text by now, nothing is said of places.
 */
import { indexPositions } from '../config/positions.js';
import { configHash, readConfigText } from '../config/read_config.js';
import type { Timers } from '../core/clock.js';

/** As adoption says it. */
const LISTENER = /^listener (\S+) cannot listen on /;

export type Placer = (sentences: readonly string[], hash: string) => Promise<readonly string[]>;

/** Puts line and column of the listener in front of each of the sentences that names one. */
export function placerOf(file: string, timers: Timers): Placer {
  return async (sentences, hash) => {
    if (!sentences.some((sentence) => LISTENER.test(sentence))) return sentences;
    const text = await readConfigText(file, timers);
    if (!text.ok || configHash(text.value) !== hash) return sentences;
    const positions = indexPositions(text.value);
    return sentences.map((sentence) => {
      const name = LISTENER.exec(sentence)?.[1];
      if (name === undefined) return sentence;
      const { line, column } = positions.near(['listeners', name, 'bind']);
      return `${file}:${line}:${column}: ${sentence}`;
    });
  };
}
