/**
 * Every event that sluice logs. The name is stable: alerts and scripts may rely on it.
 * `conf/events.md` is generated from this list.
 */
import { DAEMON_EVENTS } from './events_daemon.js';
import { TRAFFIC_EVENTS } from './events_traffic.js';
import type { FieldValue } from './fields.js';

export const EVENTS = { ...DAEMON_EVENTS, ...TRAFFIC_EVENTS };

export type EventName = keyof typeof EVENTS;

/** What `name` must be logged with. */
export type EventFields<Name extends EventName> = {
  readonly [Field in (typeof EVENTS)[Name]['fields'][number]]: FieldValue<Field>;
};
