/**
 * What the process that serves says to those that still finish sessions, so that what operators and
 * health decide holds for all of them. One that does not know a kind ignores it.
 */
import { CAUSES, type Cause } from '../../core/outcome.js';
import { HEALTH_STATES, type HealthState } from '../../pool/backend_rows.js';
import type { ChannelMessage } from '../../system/line_channel.js';
import { keptText, readKept } from '../desired/kept_text.js';
import type { Override } from '../desired/override.js';
import { isText } from './messages.js';

export type LeaverOrder =
  /** The service stops. */
  | { readonly kind: 'stop' }
  /** All that operators have overridden, as it is now. */
  | { readonly kind: 'overrides'; readonly overrides: readonly Override[] }
  /** Sessions at a backend end, spread over `spanMs`. */
  | {
      readonly kind: 'end';
      readonly pool: string;
      readonly backend: string;
      readonly cause: Cause;
      readonly spanMs: number;
    }
  /** What a drain of a backend has not ended yet may stay. */
  | { readonly kind: 'spare'; readonly pool: string; readonly backend: string }
  /** Health has found a backend so, whose key in its pool that is. */
  | {
      readonly kind: 'verdict';
      readonly pool: string;
      readonly backend: string;
      readonly state: HealthState;
    }
  /** An operator ends all that are meant; `asked` is what the command has said. */
  | { readonly kind: 'kill'; readonly asked: object; readonly spanMs: number; readonly by: string };

export function orderMessage(order: LeaverOrder): ChannelMessage {
  return order.kind === 'overrides' ? { ...order, overrides: keptText(order.overrides) } : order;
}

/** null: it is no order, or none that this version knows. */
export function readOrder(message: ChannelMessage): LeaverOrder | null {
  const { kind, overrides, pool, backend, cause, spanMs, asked, by, state } = message;
  switch (kind) {
    case 'stop':
      return { kind };
    case 'overrides': {
      const kept = isText(overrides) ? readKept(overrides) : null;
      return kept === null ? null : { kind, overrides: kept.overrides };
    }
    case 'end': {
      const known = CAUSES.find((one) => one === cause);
      if (!isText(pool) || !isText(backend) || known === undefined || !isSpan(spanMs)) return null;
      return { kind, pool, backend, cause: known, spanMs };
    }
    case 'spare':
      return isText(pool) && isText(backend) ? { kind, pool, backend } : null;
    case 'verdict': {
      const known = HEALTH_STATES.find((one) => one === state);
      if (!isText(pool) || !isText(backend) || known === undefined) return null;
      return { kind, pool, backend, state: known };
    }
    case 'kill':
      if (typeof asked !== 'object' || asked === null || !isSpan(spanMs) || !isText(by))
        return null;
      return { kind, asked, spanMs, by };
    default:
      return null;
  }
}

function isSpan(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}
