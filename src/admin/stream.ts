/**
 * Answers without an end: server-sent events, as the HTML standard describes them (9.2). A reader
 * gets what comes, until it goes or is too slow.
 */

/** The reader of such an answer. Nothing that is written waits for it. */
export interface Reader {
  write(piece: Buffer): void;
  /** It has not taken all of what was written before. */
  readonly isBehind: boolean;
}

/** Begins to write to a reader; answers what to do when it has gone. */
export type Follow = (reader: Reader) => () => void;

export const STREAM_TYPE = 'text/event-stream';

/** Nothing for a reader to see: what is in between closes connections that are silent. */
export const BEAT = Buffer.from(':\n\n');

/** One event. `data` is JSON, which has no line break. */
export function eventText(name: string, data: unknown, id: string | null = null): string {
  const number = id === null ? '' : `id: ${id}\n`;
  return `${number}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

export function wantsStream(accept: string): boolean {
  return accept.toLowerCase().includes(STREAM_TYPE);
}
