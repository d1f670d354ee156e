/** Which ends a session may have had, after all that was done to it. */

import { unreachable } from '../../src/core/assert.js';
import type { Cause } from '../../src/core/outcome.js';
import { poolsOf } from '../../src/core/routes.js';
import type { Backend, Connection } from './backend.js';
import type { Client } from './client.js';
import { CALM, type Lines, type ListenerPlan, type PoolPlan } from './program.js';
import type { Story } from './run_program.js';

/** A header that has not come after this long is given up. */
const HEADER_MS = 2_000;

/** null: it may; otherwise why not. */
export function mayEnd(
  cause: Cause,
  story: Story,
  client: Client,
  connection: Connection | null,
): string | null {
  const facts = new Facts(story, client, connection);
  return facts.explains(cause) ? null : `nothing explains ${cause}`;
}

/** Whether anything could have kept the session of `client` from ending in order. */
export function mayHaveBeenDisturbed(story: Story, client: Client): boolean {
  const { listener } = client.plan;
  const does = (what: string): boolean => story.program.acts.some((act) => act.do === what);
  return listener !== CALM || does('stop') || does('lose-worker') || client.plan.header !== null;
}

class Facts {
  readonly #story: Story;
  readonly #client: Client;
  readonly #connection: Connection | null;
  readonly #listeners: readonly ListenerPlan[];
  readonly #pools: readonly PoolPlan[];
  readonly #backends: readonly Backend[];

  constructor(story: Story, client: Client, connection: Connection | null) {
    this.#story = story;
    this.#client = client;
    this.#connection = connection;
    const versions = story.settings;
    this.#listeners = versions.flatMap(({ listeners }) =>
      listeners.filter(({ name }) => name === client.plan.listener),
    );
    const names = new Set(this.#listeners.flatMap(poolsOf));
    this.#pools = versions.flatMap(({ pools }) => pools.filter(({ name }) => names.has(name)));
    const of = new Set(this.#pools.flatMap(({ backends }) => backends.map(({ name }) => name)));
    this.#backends = story.backends.filter(({ plan }) => of.has(plan.name));
  }

  explains(cause: Cause): boolean {
    const { didReset } = this.#client;
    const finished = this.#client.finished || (didReset && this.#resetIsSilent);
    switch (cause) {
      case 'finished':
        return (
          finished && this.#someBackend(({ connections }) => connections.some((c) => c.finished))
        );
      case 'client-reset':
        return didReset;
      case 'client-gone':
        return didReset || (finished && (this.#header !== 'none' || this.#readsMore));
      case 'backend-reset':
        return this.#diesOrResets;
      case 'idle-timeout':
        return this.#listenerSays('idle_timeout');
      case 'max-age':
        return this.#listenerSays('max_session_age');
      case 'responses-done':
      case 'rebalanced':
      case 'worker-lost':
      case 'listener-full':
        return false;
      case 'drained':
        return this.#reloads;
      case 'backend-down':
        return this.#poolSays('on_down') && this.#mayBeDown;
      case 'killed':
        return false;
      case 'shutdown':
        return this.#acts('stop');
      default:
        return this.#explainsRefusal(cause);
    }
  }

  /** Closing a UNIX socket with nothing unread is no reset. */
  get #resetIsSilent(): boolean {
    return this.#client.address === 'unix:';
  }

  #explainsRefusal(
    cause: Exclude<
      Cause,
      | 'finished'
      | 'client-reset'
      | 'client-gone'
      | 'backend-reset'
      | 'idle-timeout'
      | 'max-age'
      | 'responses-done'
      | 'rebalanced'
      | 'worker-lost'
      | 'listener-full'
      | 'drained'
      | 'backend-down'
      | 'killed'
      | 'shutdown'
    >,
  ): boolean {
    const header = this.#client.plan.header?.kind;
    const expected = this.#header !== 'none';
    switch (cause) {
      case 'bad-proxy-header':
        return expected && header !== 'v1' && header !== 'v2';
      case 'proxy-header-timeout':
        return (
          expected && (header === 'cut' || header === undefined || this.#takesMs > this.#headerMs)
        );
      case 'untrusted-proxy':
        return this.#header === 'untrusted';
      case 'no-backend':
        return this.#reloads || this.#someLine('weight') || this.#acts('stop');
      case 'all-down':
        return this.#mayBeDown;
      case 'all-full':
      case 'queue-full':
      case 'queue-timeout':
        return this.#poolSays('max_connections') || this.#someLine('max_connections');
      case 'dial-failed':
        return this.#diesOrResets || this.#someBackend(({ history }) => history.has('silent'));
      case 'no-route':
        return this.#listeners.some(({ routes }) => routes.some(({ pool }) => pool === ''));
      case 'resource-limit':
        return this.#story.program.openFiles !== null || this.#story.program.sizes !== null;
      case 'hello-timeout':
        return this.#readsMore;
      case 'not-postgres':
      case 'cancel-handed-on':
      case 'cancel-limit':
      case 'denied':
      case 'not-allowed':
      case 'backend-without-tls':
      case 'no-source-address':
        return false;
      case 'too-many-sessions':
        return this.#listenerSays('limits.sessions_per_client');
      case 'too-fast':
        return this.#listenerSays('limits.new_per_client');
      case 'internal-error':
        return false;
      default:
        return unreachable(cause);
    }
  }

  get #header(): ListenerPlan['proxy'] {
    return this.#listeners[0]?.proxy ?? 'none';
  }

  /** Behind a header, if any, something else is waited for. */
  get #readsMore(): boolean {
    return this.#listeners.some(
      ({ lines, routes }) => 'postgres.strict' in lines || routes.some(({ name }) => name !== null),
    );
  }

  /** Where the daemon is set to wait for less, a busy machine may be slower than that. */
  get #headerMs(): number {
    return this.#listenerSays('hello_timeout') ? 0 : HEADER_MS;
  }

  get #takesMs(): number {
    const { header } = this.#client.plan;
    return header === null ? 0 : header.pieces * (1 + header.gapMs);
  }

  get #reloads(): boolean {
    return this.#acts('reload');
  }

  /** One that falls silent resets the connections that it has, too. */
  get #diesOrResets(): boolean {
    if (this.#connection?.didReset === true) return true;
    return this.#someBackend(
      ({ history, plan }) =>
        history.has('dead') ||
        history.has('silent') ||
        plan.habits.some((habit) => habit.startsWith('reset')),
    );
  }

  get #mayBeDown(): boolean {
    const probed = this.#pools.some(({ health }) => health['probe'] !== 'none');
    return probed || this.#pools.some(({ outlier }) => outlier !== null);
  }

  #acts(what: string): boolean {
    return this.#story.program.acts.some((act) => act.do === what);
  }

  #listenerSays(key: string): boolean {
    return this.#listeners.some(({ lines }) => key in lines);
  }

  #poolSays(key: string): boolean {
    return this.#pools.some(({ lines }) => key in lines);
  }

  #someLine(key: string): boolean {
    const has = ({ lines }: { readonly lines: Lines }): boolean => key in lines;
    return this.#pools.some(({ backends }) => backends.some(has));
  }

  #someBackend(holds: (backend: Backend) => boolean): boolean {
    return this.#backends.some(holds);
  }
}
