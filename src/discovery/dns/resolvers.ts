/**
 * Name servers, asked in turn: one that is silent or confused holds up no question for longer than
 * its own limit, and the one that answered last is asked first.
 */
import { Resolver } from 'node:dns';
import { type IpEndpoint, systemEndpoint } from '../../core/endpoint.js';
import { below } from '../../core/random.js';
import { type GiveUp, type SourceDeps, type SourceFailed, sourceFailed } from '../source.js';
import { withinLimit } from '../time_limit.js';
import { askServer, type DnsExchange } from './exchange.js';
import type { DnsReply, RecordType } from './wire.js';

/** Each server has this long, twice. */
const ATTEMPT_MS = 1_000;
const ROUNDS = 2;
/** As many as resolv.conf(5) may name, and some. */
const MAX_SERVERS = 8;
const DNS_PORT = 53;

/** Codes of a server that knows: others may know better. */
const KNOWING = new Set(['NOERROR', 'NXDOMAIN']);

export class Resolvers {
  readonly #servers: readonly IpEndpoint[];
  readonly #deps: SourceDeps;
  /** Of the server that answered last. */
  #first = 0;

  /** No `servers`: those of the system, as they are at each question. */
  constructor(servers: readonly IpEndpoint[], deps: SourceDeps) {
    this.#servers = servers;
    this.#deps = deps;
  }

  /** A reply of NOERROR or NXDOMAIN, or why there is none. */
  async ask(name: string, type: RecordType, giveUp: GiveUp): Promise<DnsReply | SourceFailed> {
    const servers = this.#servers.length > 0 ? this.#servers : systemServers();
    if (servers.length === 0) return sourceFailed('unreachable', 'the system names no name server');
    let last: SourceFailed = sourceFailed('timeout', 'no name server answered');
    for (let attempt = 0; attempt < ROUNDS * servers.length; attempt++) {
      if (giveUp.aborted) return last;
      const place = (this.#first + attempt) % servers.length;
      const server = servers[place];
      if (server === undefined) continue;
      const outcome = await this.#once(server, name, type, giveUp);
      if (outcome.kind === 'reply' && KNOWING.has(outcome.reply.code)) {
        this.#first = place;
        return outcome.reply;
      }
      last = problemOf(server, outcome);
    }
    return last;
  }

  #once(server: IpEndpoint, name: string, type: RecordType, giveUp: GiveUp): Promise<DnsExchange> {
    const { timers, random } = this.#deps;
    const question = { id: below(random, 0x1_0000), name, type };
    return withinLimit(timers, ATTEMPT_MS, giveUp, (signal) => askServer(server, question, signal));
  }
}

/** Read again at each question: resolv.conf(5) changes under a daemon that runs for months. */
function systemServers(): readonly IpEndpoint[] {
  const found = new Resolver().getServers().flatMap((text) => {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^[\]]+?))(?::(\d+))?$/.exec(text) ?? [];
    const isBare = plain !== undefined && plain.split(':').length > 2;
    const host = bracketed ?? (isBare ? text : plain) ?? text;
    const endpoint = systemEndpoint(host, isBare || port === undefined ? DNS_PORT : Number(port));
    return endpoint === null ? [] : [endpoint];
  });
  return found.slice(0, MAX_SERVERS);
}

function problemOf({ host, port }: IpEndpoint, outcome: DnsExchange): SourceFailed {
  const who = `name server ${host} port ${port}`;
  if (outcome.kind === 'reply')
    return sourceFailed('refused', `${who} answers ${outcome.reply.code}`);
  switch (outcome.why) {
    case 'silent':
      return sourceFailed('timeout', `${who} did not answer in time`);
    case 'unreachable':
      return sourceFailed('unreachable', `${who} cannot be reached`);
    case 'garbage':
      return sourceFailed('malformed', `${who} answers what is no DNS`);
  }
}
