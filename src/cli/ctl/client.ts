/** Asks the control socket of a running daemon. Whatever goes wrong becomes one sentence. */
import { existsSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { dirname } from 'node:path';
import { isForLater, isProblem, problemAnswer, tooMany } from '../../control/api/problem.js';
import { PREFIX } from '../../control/api/router.js';
import { systemClock } from '../../system/clock.js';
import { pause } from '../../system/timers.js';

/** A reload of ten thousand backends takes some seconds, and one that waits for another twice. */
const ANSWER_LIMIT_MS = 60_000;

/** The pause before a request is repeated that the daemon has not carried out. */
const AGAIN_MS = 100;

/** What an HTTP API answers to a request that it does not understand. */
const NOT_UNDERSTOOD = 400;

/** Why a command has failed, for people; further lines in `more`. */
export class CtlFailure extends Error {
  readonly more: readonly string[];
  /** Of the daemon's answer; null: there was none. */
  readonly status: number | null;

  constructor(sentence: string, more: readonly string[] = [], status: number | null = null) {
    super(sentence);
    this.more = more;
    this.status = status;
  }
}

/** The words of the command line were wrong. */
export class WrongWords extends CtlFailure {
  /** One a word, as `for: expected a time such as 30s`; empty: the sentence says it all. */
  readonly faults: readonly string[];

  constructor(sentence: string, faults: readonly string[] = []) {
    super(sentence, [], NOT_UNDERSTOOD);
    this.faults = faults;
  }
}

/** How a connection ends on which no whole answer comes any more. */
const CUT_SHORT: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/** The process that was asked has ended, or left, before the whole answer. */
class CutShort extends CtlFailure {
  constructor(method: string) {
    const next =
      method === 'GET'
        ? 'ask again'
        : '`sluice ctl overrides` and `sluice ctl events` say whether it was done';
    super(`sluice closed the connection before the whole answer had come: ${next}`);
  }
}

export interface Fetched<T> {
  readonly value: T;
  readonly etag: string | null;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly etag: string | null;
}

export class Client {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** What the endpoint's declaration says that it answers. */
  async get<T>(
    path: string,
    query: Readonly<Record<string, string | undefined>> = {},
    limitMs: number = ANSWER_LIMIT_MS,
  ): Promise<T> {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    const search = new URLSearchParams(Object.fromEntries(given)).toString();
    const asked = search === '' ? path : `${path}?${search}`;
    return (await this.#ask<T>('GET', asked, null, limitMs)).value;
  }

  async post<T>(path: string, body: object, limitMs: number = ANSWER_LIMIT_MS): Promise<T> {
    return (await this.#ask<T>('POST', path, body, limitMs)).value;
  }

  async #ask<T>(
    method: string,
    path: string,
    body: object | null,
    limitMs: number,
  ): Promise<Fetched<T>> {
    const untilMs = systemClock.nowMs() + limitMs;
    for (;;) {
      const answer = await this.#exchange(method, `${PREFIX}${path}`, body, untilMs);
      const value = parse(answer.text);
      // Another process serves by now, or as many wait as may.
      const isAskedAgain = isForLater(value) && systemClock.nowMs() + AGAIN_MS < untilMs;
      if (!isAskedAgain) return this.#read(answer, value);
      await pause(AGAIN_MS);
    }
  }

  #read<T>({ status, etag }: Omit<Answer, 'text'>, value: unknown): Fetched<T> {
    if (status === 200 && value !== undefined) return { value: value as T, etag };
    if (isProblem(value)) {
      const { detail, problems = [] } = value;
      if (status === NOT_UNDERSTOOD) throw new WrongWords(detail, problems);
      // For machines they stand there one by one as well.
      const more = problems.filter((one) => !detail.includes(one));
      throw new CtlFailure(detail, more, status);
    }
    throw new CtlFailure(`${this.#path} answers with HTTP status ${status}: is that sluice?`);
  }

  async #exchange(
    method: string,
    path: string,
    body: object | null,
    untilMs: number,
  ): Promise<Answer> {
    try {
      return await this.#exchangeOnce(method, path, body, untilMs);
    } catch (error) {
      // A GET may be repeated. Of an order it is unknown whether it was carried out: it is not.
      const isAgain = method === 'GET' && systemClock.nowMs() < untilMs;
      if (!isAgain || !(error instanceof CutShort)) throw error;
      return this.#exchangeOnce(method, path, body, untilMs);
    }
  }

  #exchangeOnce(
    method: string,
    path: string,
    body: object | null,
    untilMs: number,
  ): Promise<Answer> {
    const timeout = Math.max(1, untilMs - systemClock.nowMs());
    const bytes = body === null ? '' : JSON.stringify(body);
    const headers = {
      host: 'sluice',
      ...(body === null
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(bytes) }),
    };
    const options = { socketPath: this.#path, method, path, headers, agent: false };
    return new Promise<Answer>((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException): void => {
        if (error.code === 'EAGAIN') return resolve(noRoom(this.#path));
        const isCut = CUT_SHORT.has(error.code ?? '');
        reject(isCut ? new CutShort(method) : new CtlFailure(whyNot(error, this.#path)));
      };
      const asked = httpRequest({ ...options, timeout }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('error', fail);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, text, etag: answer.headers.etag ?? null }),
        );
      });
      asked.on('timeout', () => asked.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
      asked.on('error', fail);
      asked.end(bytes);
    });
  }
}

/** unix(7): EAGAIN is a queue without room for one more that waits. Nothing was asked yet. */
function noRoom(path: string): Answer {
  const detail = `More wait for sluice at ${path} than the kernel has room for: ask again.`;
  const { status, body } = problemAnswer(tooMany(detail));
  return { status, text: body, etag: null };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function whyNot({ code = '', message }: NodeJS.ErrnoException, path: string): string {
  switch (code) {
    case 'ENOENT':
      if (!existsSync(dirname(path))) {
        return `there is no control socket at ${path}, nor its folder: make that and start sluice again, or set [admin] socket in its file and give that path as --socket PATH`;
      }
      return `there is no control socket at ${path}: is sluice running? --socket PATH names another one, as [admin] socket of its file does`;
    case 'EACCES':
    case 'EPERM':
      return `you may not open ${path}: be root, or a member of the group of the socket ([admin] socket_group)`;
    case 'ECONNREFUSED':
      // So the kernel speaks of whatever is no socket, too.
      if (!(statSync(path, { throwIfNoEntry: false })?.isSocket() ?? true)) return noSocket(path);
      return `nothing answers at ${path}: sluice is not running (\`systemctl status sluice\` says why)`;
    case 'ENOTSOCK':
      return noSocket(path);
    case 'ETIMEDOUT':
      return `sluice does not answer at ${path}: its main thread is busy, or the process is stopped`;
    default:
      return `asking ${path} has failed: ${code === '' ? message : code}`;
  }
}

function noSocket(path: string): string {
  return `${path} is no socket: --socket PATH names the one that [admin] socket of sluice's file does`;
}
