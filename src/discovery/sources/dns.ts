/** dns: every A and AAAA record of a name is a member, or every SRV record of a service. */
import type { DnsSourceSpec } from '../../core/discovery_spec.js';
import { systemEndpoint } from '../../core/endpoint.js';
import { AddressLookups, addressesOfAll, ttlOf } from '../dns/addresses.js';
import { Resolvers } from '../dns/resolvers.js';
import { type Service, scaledServices } from '../dns/services.js';
import {
  type GiveUp,
  type Member,
  membersFound,
  plainMember,
  type Source,
  type SourceAnswer,
  type SourceDeps,
  sourceFailed,
} from '../source.js';
import { withinLimit } from '../time_limit.js';

/** Each of the targets of a service is two more questions. */
const MAX_TARGETS = 255;
/** All questions of one answer. */
const LIMIT_MS = 10_000;

export function dnsSource(spec: DnsSourceSpec, deps: SourceDeps): Source {
  const resolvers = new Resolvers(spec.servers, deps);
  const addresses = new AddressLookups(resolvers);

  const again = (ttlSeconds: number): number =>
    Math.min(spec.maxRefreshMs, Math.max(spec.minRefreshMs, ttlSeconds * 1_000));

  const plain = async (giveUp: GiveUp): Promise<SourceAnswer> => {
    const found = await addresses.of(spec.name, giveUp);
    if (found.kind === 'failed') return found;
    addresses.tidy();
    return membersFound(membersAt(found.hosts, spec.port), again(found.ttlSeconds));
  };

  const services = async (giveUp: GiveUp): Promise<SourceAnswer> => {
    const reply = await resolvers.ask(spec.name, 'SRV', giveUp);
    if (reply.kind === 'failed') return reply;
    const listed = scaledServices(reply.records);
    if (listed.length > MAX_TARGETS) {
      return sourceFailed('too-much', `${spec.name} has more than ${MAX_TARGETS} SRV records`);
    }
    const targets = [...new Set(listed.map(({ target }) => target))];
    const found = await addressesOfAll(targets, addresses, giveUp);
    if ('kind' in found) return found;
    addresses.tidy();
    const hostsOf = (target: string): readonly string[] => found.get(target)?.hosts ?? [];
    const members = listed.flatMap((service) => at(service, hostsOf(service.target)));
    const bare = targets.filter((target) => hostsOf(target).length === 0);
    const ttlSeconds = Math.min(
      ttlOf(reply),
      ...[...found.values()].map(({ ttlSeconds }) => ttlSeconds),
    );
    return membersFound(
      members,
      again(ttlSeconds),
      bare.map((target) => `${target} has no address`),
    );
  };

  const ask = spec.records === 'services' ? services : plain;
  return { ask: (giveUp) => withinLimit(deps.timers, LIMIT_MS, giveUp, ask) };
}

function at({ port, weight, backup }: Service, hosts: readonly string[]): readonly Member[] {
  return membersAt(hosts, port).map((member) => ({ ...member, weight, backup }));
}

function membersAt(hosts: readonly string[], port: number): readonly Member[] {
  return hosts.flatMap((host) => {
    const endpoint = systemEndpoint(host, port);
    return endpoint === null ? [] : [plainMember(endpoint)];
  });
}
