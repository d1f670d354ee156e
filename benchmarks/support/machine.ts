/** One line on the machine and the runtime, to stand above figures. */
import { availableParallelism, cpus, release } from 'node:os';

export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown CPU';
  return `${availableParallelism()} × ${model}, Linux ${release()}, Node.js ${process.version}`;
}
