/** Backends that do not serve as usual, in sentences. */
import type { BackendView } from '../admin/views.js';
import type { BackendState } from '../core/backend_states.js';

/** They serve as is usual, or leave as was wanted. */
const UNREMARKABLE: readonly BackendState[] = ['up', 'standby', 'leaving'];

export function isRemarkable(state: BackendState): boolean {
  return !UNREMARKABLE.includes(state);
}

/** `pg/a is down: connection refused`. */
export function remark(
  pool: string,
  { name, state, reason }: Pick<BackendView, 'name' | 'state' | 'reason'>,
): string {
  return `${pool}/${name} is ${state}${reason === '' ? '' : `: ${reason}`}`;
}
