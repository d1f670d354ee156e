/** The `server` lines of a proxy with their options, those of `default-server` included. */

import { lookUp } from '../look_up.js';
import { backendLabel } from '../names.js';
import { Part, type Statement } from '../statement.js';
import { serverAddress } from './addresses.js';
import type { ProxySettings } from './proxy.js';

/** Options that are followed by this many words. */
const ARGUMENTS: Readonly<Record<string, number>> = {
  ...one('addr', 'agent-addr', 'agent-inter', 'agent-port', 'agent-send', 'alpn', 'ca-file'),
  ...one('check-alpn', 'check-proto', 'check-sni', 'ciphers', 'ciphersuites', 'cookie', 'crl-file'),
  ...one(
    'crt',
    'curves',
    'downinter',
    'error-limit',
    'fall',
    'fastinter',
    'guid',
    'hash-key',
    'id',
  ),
  ...one('init-addr', 'init-state', 'inter', 'log-bufsize', 'log-proto', 'max-reuse', 'maxconn'),
  ...one('maxqueue', 'minconn', 'namespace', 'npn', 'observe', 'on-error', 'on-marked-down'),
  ...one('on-marked-up', 'pool-low-conn', 'pool-max-conn', 'pool-purge-delay', 'port', 'proto'),
  ...one('proxy-v2-options', 'redir', 'resolve-net', 'resolve-opts', 'resolve-prefer', 'resolvers'),
  ...one(
    'rise',
    'set-proxy-v2-tlv-fmt',
    'shard',
    'sigalgs',
    'slowstart',
    'sni',
    'socks4',
    'source',
  ),
  ...one('ssl-max-ver', 'ssl-min-ver', 'tcp-ut', 'track', 'usesrc', 'verify', 'verifyhost'),
  ...one('weight', 'ws', 'interface', 'check-pool-conn-name', 'pool-conn-name', 'ca-verify-file'),
};

function one(...names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name) => [name, 1]));
}

export interface Server {
  readonly statement: Statement;
  /** `server NAME ADDRESS` */
  readonly head: Part;
  readonly name: string;
  readonly address: string;
  readonly options: ReadonlyMap<string, Part>;
}

/** Those of `proxy` whose address is understood; the others are dropped with the reason. */
export function serversOf(proxy: ProxySettings, listenerPort: number | null): readonly Server[] {
  const defaults = defaultOptions(proxy);
  const names = new Set<string>();
  const servers = proxy.all('server').flatMap((statement): readonly Server[] => {
    const address = serverAddress(statement.value(2), listenerPort);
    if (!address.ok) {
      statement.part().dropped(address.why);
      return [];
    }
    const head = statement.part(0, 3);
    head.mark('translated', 'a backend');
    if (address.value.usesListenerPort === 'yes') head.changed('its port is written out');
    const name = uniqueName(statement.value(1), names);
    if (name !== statement.value(1)) head.changed(`it is called ${name}`);
    const options = merged(defaults, optionsOf(statement, 3));
    return [{ statement, head, name, address: address.value.address, options }];
  });
  if (servers.length > 0) {
    for (const statement of proxy.all('default-server')) {
      statement.mark('translated', 'it counts for all servers', 0, 1);
    }
  }
  return servers;
}

/** What `default-server` gives to all servers of `proxy`. */
export function defaultOptions(proxy: ProxySettings): ReadonlyMap<string, Part> {
  return proxy.all('default-server').reduce<ReadonlyMap<string, Part>>((before, statement) => {
    statement.mark('idle', 'nothing to do: no server takes a default from it', 0, 1);
    return merged(before, optionsOf(statement, 1));
  }, new Map());
}

/** The option words of `statement` from `from` on, by name. */
export function optionsOf(statement: Statement, from: number): ReadonlyMap<string, Part> {
  const found = new Map<string, Part>();
  for (let at = from; at < statement.words.length; ) {
    const name = statement.value(at);
    const end = Math.min(at + 1 + (lookUp(ARGUMENTS, name) ?? 0), statement.words.length);
    found.get(name)?.idle('it is there twice');
    found.set(name, new Part(statement, at, end));
    at = end;
  }
  return found;
}

/** Options of a server with those that it inherits; `no-check` takes `check` away. */
export function merged(
  defaults: ReadonlyMap<string, Part>,
  own: ReadonlyMap<string, Part>,
): ReadonlyMap<string, Part> {
  const found = new Map(defaults);
  for (const [name, part] of own) {
    const negated = name.startsWith('no-') ? name.slice(3) : null;
    found.get(negated ?? name)?.idle('a server replaces it');
    if (negated === null) found.set(name, part);
    else {
      found.delete(negated);
      part.idle('it switches off what is off by default');
    }
  }
  return found;
}

function uniqueName(wanted: string, taken: Set<string>): string {
  const clean = backendLabel(wanted);
  let name = clean;
  for (let count = 2; taken.has(name); count++) name = `${clean}-${count}`;
  taken.add(name);
  return name;
}

/** The options of that name, one per server that has it; each stands once. */
export function partsNamed(servers: readonly Server[], name: string): readonly Part[] {
  const parts = servers.flatMap(({ options }) => options.get(name) ?? []);
  return parts.filter(
    (part, index) => parts.findIndex((one) => one.statement === part.statement) === index,
  );
}
