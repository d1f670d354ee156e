/** Which sessions a request means, by names and bounds in its query or body. */
import { parseBlock } from '../../config/address.js';
import type { ReadValue } from '../../config/reading.js';
import type { SessionFilter } from '../../core/questions.js';
import { err, ok, type Result } from '../../core/result.js';
import type { AddressBlock } from '../../core/spec.js';
import type { Inventory } from '../inventory.js';
import { backendsNamed, findBackend, findListener, findPool } from './names.js';
import { badRequest, faultsOf, type Problem } from './problem.js';
import { duration, optional, type ShapeOf, text } from './shape.js';

const MOST_MS = 366 * 24 * 3_600_000;

export const FILTER = {
  listener: optional(text('Only those of this listener.')),
  pool: optional(text('Only those of this pool.')),
  backend: optional(text('Only those at this backend, `POOL/BACKEND`, or its name alone.')),
  client: optional(text('Only clients in this block, such as `10.0.0.0/8`, or of one address.')),
  older: optional(duration('Only those that are so old at least.', MOST_MS)),
  idle: optional(duration('Only those without a byte for at least this long.', MOST_MS)),
};

type Asked = { readonly [Name in keyof typeof FILTER]?: ShapeOf<(typeof FILTER)[Name]> };

export function filterOf(inventory: Inventory, asked: Asked): Result<SessionFilter, Problem> {
  const { listener = null, pool = null, backend, client, older = 0, idle = 0 } = asked;
  if (listener !== null) {
    const found = findListener(inventory, listener);
    if (!found.ok) return found;
  }
  if (pool !== null) {
    const found = findPool(inventory, pool);
    if (!found.ok) return found;
  }
  const at = placeOf(inventory, pool, backend);
  if (!at.ok) return at;
  const block: ReadValue<AddressBlock | null> =
    client === undefined ? { ok: true, value: null } : parseBlock(client);
  if (!block.ok) return err(badRequest(`client: ${faultsOf(block)}: ${client}.`));
  const bounds = { olderMs: older, idleMs: idle };
  return ok({ id: null, listener, ...at.value, client: block.value, ...bounds });
}

/** A name alone means backends of that name in any pool. */
function placeOf(
  inventory: Inventory,
  pool: string | null,
  backend: string | undefined,
): Result<Pick<SessionFilter, 'pool' | 'backend'>, Problem> {
  if (backend === undefined) return ok({ pool, backend: null });
  if (backendsNamed(inventory, backend).length > 0) return ok({ pool, backend });
  const found = findBackend(inventory, backend);
  if (!found.ok) return found;
  const { pool: its, spec } = found.value;
  return ok({ pool: its.key, backend: spec.name });
}
