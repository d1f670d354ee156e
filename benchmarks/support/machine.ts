/** One line on the machine and the runtime, to stand above figures. */
import { cpus, release } from 'node:os';

/** All cores of it, on whichever of them this process may run. */
export function describeMachine(): string {
  const cores = cpus();
  const model = cores[0]?.model.trim() ?? 'unknown CPU';
  return `${cores.length} × ${model}, Linux ${release()}, Node.js ${process.version}`;
}
