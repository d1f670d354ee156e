/**
 * `sluice/http`: an agent of node:http whose connections a balancer dials. A request's own host and
 * port are its Host header only; a connection that is kept alive stays with its backend.
 */
import { Agent, type AgentOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type AdapterOptions,
  type Connects,
  connectOptionsOf,
  mustBeBalancer,
} from './adapter_balancer.js';
import type { ConnectOptions } from './execute_options.js';

export interface HttpAgentOptions extends AgentOptions, AdapterOptions {}

type Callback = (error: Error | null, stream?: Duplex) => void;

export class BalancedAgent extends Agent {
  readonly #balancer: Connects;
  readonly #asked: ConnectOptions;

  constructor(balancer: Connects, options: HttpAgentOptions = {}) {
    const { key, ...rest } = options;
    mustBeBalancer(balancer);
    super({ keepAlive: true, ...rest });
    this.#balancer = balancer;
    this.#asked = connectOptionsOf(key === undefined ? {} : { key });
  }

  /** Answers by the callback, as node:http allows; its types do not know that yet. */
  override createConnection(_: unknown, done: Callback): undefined {
    this.#balancer.connect(this.#asked).then(
      (socket) => done(null, socket),
      (error: unknown) => done(error as Error),
    );
  }
}

/** `http.get('http://users/1', { agent: httpAgent(balancer) })` */
export function httpAgent(balancer: Connects, options?: HttpAgentOptions): BalancedAgent {
  return new BalancedAgent(balancer, options);
}
