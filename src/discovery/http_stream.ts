/**
 * One request whose answer goes on: lines of JSON as they come (a watch). It ends by itself, with
 * the first news or when its time is over: a stream that is kept for ever may fall silent
 * unnoticed; one that is opened anew now and then cannot.
 */
import type { Timers } from '../core/clock.js';
import { type HttpQuestion, late, open } from './http_client.js';
import { HTTP_LIMIT_MS, MAX_ANSWER_BYTES } from './limits.js';
import { type GiveUp, type SourceFailed, sourceFailed } from './source.js';
import { withinLimit } from './time_limit.js';

/** After the first news: what else is on its way belongs to the same answer. */
const SETTLE_MS = 100;

export type StreamEnd =
  /** There is news, and all of it that has come was taken. */
  | { readonly kind: 'news' }
  /** It ended, or its time was over, without news. */
  | { readonly kind: 'quiet'; readonly by: 'server' | 'limit' }
  /** The connection was lost between two lines. */
  | { readonly kind: 'lost' }
  /** A line cannot be read, or reports an error. */
  | { readonly kind: 'unusable' }
  /** It did not begin. */
  | { readonly kind: 'status'; readonly status: number };

export interface Stream {
  readonly question: HttpQuestion;
  readonly limitMs: number;
  /** What a line says; `unusable` ends the stream. */
  readonly take: (line: unknown) => 'news' | 'nothing' | 'unusable';
}

/** Follows a stream. It never rejects. */
export async function followStream(
  { question, limitMs, take }: Stream,
  timers: Timers,
  giveUp: GiveUp,
): Promise<StreamEnd | SourceFailed> {
  return withinLimit(timers, limitMs, giveUp, async (signal) => {
    const url = new URL(question.url);
    const headers = { ...question.headers, ...question.secretHeaders };
    const done = new AbortController();
    const close = (): void => done.abort();
    signal.addEventListener('abort', close, { once: true });
    // The head of the answer comes at once, however quiet the stream is.
    const head = timers.after(HTTP_LIMIT_MS, close);
    const response = await open(url, headers, question, done.signal);
    head.cancel();
    if ('kind' in response) return done.signal.aborted ? late(url) : response;
    if (response.statusCode !== 200) {
      response.destroy();
      return { kind: 'status', status: response.statusCode ?? 0 };
    }
    const settle = { timer: timers.after(limitMs, close), begun: 'no' as 'no' | 'yes' };
    const lines = new Lines();
    let bytes = 0;
    try {
      for await (const chunk of response) {
        bytes += (chunk as Uint8Array).length;
        for (const line of lines.push(chunk as Uint8Array)) {
          const said = line === undefined ? 'unusable' : take(line);
          if (said === 'unusable') return { kind: 'unusable' };
          if (said === 'nothing' || settle.begun === 'yes') continue;
          settle.begun = 'yes';
          settle.timer.cancel();
          settle.timer = timers.after(SETTLE_MS, close);
        }
        if (bytes <= MAX_ANSWER_BYTES) continue;
        // Whole lines were taken, and the next question goes on behind them.
        return settle.begun === 'yes' ? { kind: 'news' } : tooMuch(url);
      }
      if (settle.begun === 'yes') return { kind: 'news' };
      return lines.isWhole && response.complete
        ? { kind: 'quiet', by: 'server' }
        : { kind: lines.isWhole ? 'lost' : 'unusable' };
    } catch {
      if (settle.begun === 'yes') return { kind: 'news' };
      if (done.signal.aborted) return { kind: 'quiet', by: 'limit' };
      return { kind: lines.isWhole ? 'lost' : 'unusable' };
    } finally {
      settle.timer.cancel();
      signal.removeEventListener('abort', close);
      response.destroy();
    }
  });
}

function tooMuch(url: URL): SourceFailed {
  return sourceFailed('too-much', `${url.host} answers with more than ${MAX_ANSWER_BYTES} bytes`);
}

/** Lines of JSON out of chunks that were cut anywhere. */
export class Lines {
  readonly #decoder = new TextDecoder();
  #rest: string[] = [];

  /** True between two lines. */
  get isWhole(): boolean {
    return this.#rest.every((part) => part.trim() === '');
  }

  /** The values of the lines that are whole now; undefined: no JSON. */
  push(chunk: Uint8Array): unknown[] {
    const parts = this.#decoder.decode(chunk, { stream: true }).split('\n');
    const last = parts.pop() ?? '';
    if (parts.length === 0) {
      this.#rest.push(last);
      return [];
    }
    parts[0] = this.#rest.join('') + (parts[0] ?? '');
    this.#rest = [last];
    return parts.filter((line) => line.trim() !== '').map(parsed);
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
