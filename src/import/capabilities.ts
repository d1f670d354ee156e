/**
 * What this version of sluice has beyond the least: the schema says it. Something that is not there
 * is dropped with the reason, and translated as soon as its key is known.
 */
import { NOT_IN_THIS_VERSION, unavailable } from '../config/availability.js';
import { describe } from '../config/schema/lookup.js';
import { ROOT } from '../config/schema/root.js';

const KEYS = {
  access: ['listeners', 'NAME', 'access', 'allow'],
  limits: ['listeners', 'NAME', 'limits', 'sessions_per_client'],
  routes: ['listeners', 'NAME', 'routes'],
  discovery: ['pools', 'NAME', 'discovery'],
  source: ['pools', 'NAME', 'source'],
  control: ['admin', 'socket'],
} as const;

export type Capability = keyof typeof KEYS;
export type Capabilities = Readonly<Record<Capability, 'here' | 'not here'>>;

/** Why something without a place is dropped. */
export const LACKS: Readonly<Record<Capability, string>> = {
  access: 'this version has no access lists: every client may connect',
  limits: 'this version has no limits per client',
  routes: 'this version does not route: all sessions of a listener go to one pool',
  discovery: 'this version finds no backends by itself',
  source: 'this version does not choose the source address of a dial',
  control: 'this version has no control socket',
};

/** Of the schema that is built in. */
export function capabilities(): Capabilities {
  const has = (capability: Capability): 'here' | 'not here' => {
    const path = KEYS[capability];
    const isKnown = describe(ROOT, [...path]).path.length === path.length;
    const refused = unavailable(NOT_IN_THIS_VERSION, [...path], 'any other value');
    return isKnown && refused === undefined ? 'here' : 'not here';
  };
  return {
    access: has('access'),
    limits: has('limits'),
    routes: has('routes'),
    discovery: has('discovery'),
    source: has('source'),
    control: has('control'),
  };
}
