/** Asks the system for the addresses of a host, and whether this machine can send there at all. */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { type IpEndpoint, systemEndpoint } from '../core/endpoint.js';

export type HostAnswer =
  | {
      readonly kind: 'found';
      /** In the order of the system; the port is 0. */
      readonly addresses: readonly IpEndpoint[];
      /** Those for which this machine has no route, as where it has no IPv6. */
      readonly unroutable: readonly IpEndpoint[];
    }
  /** A clause that ends a sentence. */
  | { readonly kind: 'none'; readonly problem: string };

type Route = 'some' | 'none';

export type HostLookup = (host: string) => Promise<HostAnswer>;

/** getaddrinfo(3): /etc/hosts, a name server, whatever nsswitch.conf says. It never rejects. */
export async function lookupHost(host: string): Promise<HostAnswer> {
  try {
    const answers = await lookup(host, { all: true });
    const found = answers
      // A link-local address is no use without its zone, and endpoints have none.
      .filter(({ address }) => !address.includes('%'))
      .map(({ address }) => systemEndpoint(address, 0))
      .filter((endpoint) => endpoint !== null);
    if (found.length === 0) return { kind: 'none', problem: 'it has only link-local addresses' };
    const routes = await Promise.all(found.map(routeTo));
    const those = (route: Route): IpEndpoint[] => found.filter((_, at) => routes[at] === route);
    return { kind: 'found', addresses: those('some'), unroutable: those('none') };
  } catch (error) {
    return { kind: 'none', problem: problemOf(error) };
  }
}

/** connect(2) of a datagram socket looks for a route and a source address, and sends nothing. */
function routeTo({ host, family }: IpEndpoint): Promise<Route> {
  return new Promise((resolve) => {
    const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
    const done = (answer: Route): void => {
      socket.close();
      resolve(answer);
    };
    socket.once('error', () => done('none'));
    socket.connect(DISCARD_PORT, host, () => done('some'));
  });
}

/** Any port but 0 will do; this one is unused (RFC 863). */
const DISCARD_PORT = 9;

function problemOf(error: unknown): string {
  const code = String((error as NodeJS.ErrnoException).code);
  return PROBLEMS[code] ?? `the lookup failed (${code})`;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name, or it has no address',
  ENODATA: 'the name has no address',
  EAI_AGAIN: 'the name server did not answer',
  EAI_FAIL: 'the name server refused to answer',
};
