/** The load process as the benchmark sees it: commands go in, measurements come out. */
import { join } from 'node:path';
import { Child } from '../../test/support/process.js';
import type { Answer, Measured, Ready, Task } from '../load/protocol.js';
import type { Endings } from '../support/endings.js';
import { OPEN_FILES } from './peers.js';

/** Beside the measured time: connecting, and closing thousands of sessions. */
const OVERHEAD_MS = 60_000;

export class LoadProcess {
  readonly #child: Child;
  readonly ready: Ready;
  #asked = 0;

  private constructor(child: Child, ready: Ready) {
    this.#child = child;
    this.ready = ready;
  }

  static async start(scope: Endings): Promise<LoadProcess> {
    const script = join(import.meta.dirname, '../load/main.js');
    const child = new Child(process.execPath, [script], { openFiles: OPEN_FILES });
    scope.teardown(() => (child.running ? child.stop('SIGTERM') : undefined));
    const answer = parse(await child.stdout.first('the load process', () => true));
    if (answer.kind !== 'ready') throw new Error(`the load process began with ${answer.kind}`);
    return new LoadProcess(child, answer.ready);
  }

  async measure(task: Task): Promise<Measured> {
    const id = ++this.#asked;
    const limitMs = task.warmMs + task.measureMs + OVERHEAD_MS;
    // An answer that comes too late must not count for the next command.
    const isOurs = (line: string): boolean => {
      const answer = parse(line);
      return answer.kind !== 'ready' && answer.id === id;
    };
    const line = this.#child.stdout.next('a measurement', isOurs, limitMs);
    this.#child.write(`${JSON.stringify({ id, ...task })}\n`);
    const answer = parse(await line);
    if (answer.kind === 'measured') return answer.measured;
    throw new Error(answer.kind === 'failed' ? answer.sentence : 'ready twice');
  }
}

function parse(line: string): Answer {
  return JSON.parse(line) as Answer;
}
