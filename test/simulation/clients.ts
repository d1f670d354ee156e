/** What clients and backends do on the connections of one worker, by chance. */

import { type IpEndpoint, ipEndpoint } from '../../src/core/endpoint.js';
import { below, type Random } from '../../src/core/random.js';
import type { FakePair } from '../support/fake_tcp_engine.js';
import { OWN_LIMIT } from './dials.js';
import { CLIENT_HEADER } from './proxy_header.js';
import type { SimWorker } from './sim_worker.js';
import type { World } from './world.js';

/** UDP clients are few, so that their flows live. */
const UDP_CLIENTS = 40;

/**
 * `patient`: no client goes away while it waits. `last`: neither, and a client that is served is
 * soon done.
 */
export type Pace = 'usual' | 'patient' | 'last';

export class Clients {
  readonly #random: Random;
  readonly #world: World;
  #come = 0;

  constructor(random: Random, world: World) {
    this.#random = random;
    this.#world = world;
  }

  /** A client connects at one of the worker's sockets; each has an address of its own. */
  connect(worker: SimWorker): void {
    const keys = [...worker.tcp.sockets.keys()];
    const key = keys[below(this.#random, keys.length)];
    if (key !== undefined) worker.tcp.connect(key, this.#peer(this.#come++));
  }

  datagram(worker: SimWorker): void {
    const keys = [...worker.udp.sockets.keys()];
    const key = keys[below(this.#random, keys.length)];
    if (key === undefined) return;
    const peer = this.#peer(below(this.#random, UDP_CLIENTS));
    const framed = worker.udp.sockets.get(key) === 'proxied';
    worker.udp.receive(key, peer, framed ? `${CLIENT_HEADER.dgram}query` : 'query');
    const backend = worker.udp.servedBy(peer);
    if (backend === null) return;
    const mood = this.#world.mood(backend);
    if (mood === 'refusing') worker.udp.icmp(peer);
    else if (mood !== 'silent') worker.udp.reply(peer, 'answer');
  }

  /** Something happens, or not, on each connection of the worker. */
  live(worker: SimWorker, pace: Pace): void {
    for (const pair of [...worker.tcp.pairs.values()]) {
      if (worker.tcp.pairs.get(pair.id) === pair) this.#live(worker, pair, pace);
    }
  }

  #live(worker: SimWorker, pair: FakePair, pace: Pace): void {
    const { tcp } = worker;
    if (pair.over !== null) return;
    const waits = pair.state !== 'relaying' && pair.state !== 'closing';
    if (waits && pace === 'usual' && this.#random.next() < 0.005) {
      return tcp.ends(pair.id, { kind: 'client-gone' });
    }
    switch (pair.state) {
      case 'early':
        return this.#sendHeader(worker, pair);
      case 'dialling':
        return this.#answerDial(worker, pair);
      case 'relaying':
        return this.#relay(worker, pair, pace);
      case 'idle':
      case 'dialled':
      case 'closing':
        return;
    }
  }

  #sendHeader({ tcp }: SimWorker, pair: FakePair): void {
    // Every fifth client keeps silent.
    if (pair.id % 5 === 0) return;
    const chance = this.#random.next();
    if (chance < 0.3) tcp.clientSends(pair.id, Buffer.from(CLIENT_HEADER.stream, 'latin1'));
    else if (chance < 0.35) tcp.clientSends(pair.id, Buffer.from('no header\r\n'));
  }

  #answerDial({ tcp }: SimWorker, pair: FakePair): void {
    if (this.#random.next() < 0.3) return;
    const mood = this.#world.mood(pair.target ?? '');
    if (this.#random.next() < 0.003) tcp.dialFails(pair.id, OWN_LIMIT);
    else if (mood === 'refusing') tcp.dialFails(pair.id, 'refused');
    else if (mood !== 'silent') tcp.dialSucceeds(pair.id);
  }

  #relay({ tcp }: SimWorker, pair: FakePair, pace: Pace): void {
    const dead = this.#world.mood(pair.target ?? '') === 'refusing';
    const chance = this.#random.next();
    if (dead && chance < 0.2) return tcp.ends(pair.id, { kind: 'reset', by: 'backend' });
    // Every fourth client stays long.
    const stay = pair.id % 4 === 0 ? 0.004 : 0.04;
    if (chance < (pace === 'last' ? 0.2 : stay)) {
      return tcp.ends(pair.id, { kind: 'finished', first: 'client' });
    }
    if (chance > 0.998) return tcp.ends(pair.id, { kind: 'reset', by: 'client' });
    if (chance > 0.9975) return tcp.ends(pair.id, { kind: 'limit', sentence: 'no buffer' });
    if (chance > 0.7) tcp.moves(pair.id, 'in', 10);
    else if (chance > 0.5 && !dead) tcp.moves(pair.id, 'out', 100);
  }

  #peer(index: number): IpEndpoint {
    const host = `198.51.100.${index % 200}`;
    return ipEndpoint(4, host, 1024 + (Math.floor(index / 200) % 60_000));
  }
}
