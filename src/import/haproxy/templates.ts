/** `server-template`: backends that DNS names. */
import { fittedNumber, wholeNumber } from '../bounds.js';
import { type Capabilities, LACKS } from '../capabilities.js';
import type { Draft, DraftTable } from '../draft.js';
import type { Part, Statement } from '../statement.js';
import { serverAddress } from './addresses.js';
import type { ProxySettings } from './proxy.js';
import { defaultOptions, merged, optionsOf, type Server } from './servers.js';

export interface TemplateScene {
  readonly draft: Draft;
  /** Of the pool. */
  readonly path: readonly string[];
  readonly pool: DraftTable;
  readonly templates: readonly Server[];
  readonly resolvers: ResolverSections;
}

/** The `nameserver` statements of each section `resolvers`. */
export type ResolverSections = ReadonlyMap<string, readonly Statement[]>;

/** As many name servers as a source may have. */
const MAX_SERVERS = 8;

/** `server-template PREFIX COUNT ADDRESS [options]`; what cannot be translated is dropped. */
export function templatesOf(proxy: ProxySettings, has: Capabilities): readonly Server[] {
  const defaults = defaultOptions(proxy);
  const taken = new Set<string>();
  return proxy.all('server-template').flatMap((statement): readonly Server[] => {
    if (has.discovery === 'not here') {
      statement.part().dropped(LACKS.discovery);
      return [];
    }
    const address = statement.value(3);
    const isUsable = address.startsWith('_') || serverAddress(address, null).ok;
    if (!isUsable || /^(?:unix@|\/|\[)/.test(address)) {
      statement.part().dropped('not a name with a port');
      return [];
    }
    if (taken.has(address.toLowerCase())) {
      statement.part().dropped('the same source is there already');
      return [];
    }
    taken.add(address.toLowerCase());
    const head = statement.part(0, 4);
    const options = merged(defaults, optionsOf(statement, 4));
    for (const inherited of proxy.all('default-server')) {
      inherited.mark('translated', 'it counts for all servers', 0, 1);
    }
    return [{ statement, head, name: statement.value(1), address, options }];
  });
}

/** Each becomes a source of backends. */
export function writeTemplates(scene: TemplateScene): void {
  const { draft, path, pool, templates, resolvers } = scene;
  for (const { statement, head, address, options } of templates) {
    const table = draft.listed([...path, 'discovery'], [statement.place]);
    const isService = address.startsWith('_');
    const [, host = address, port = ''] = /^(.*):([0-9]+)$/.exec(address) ?? [];
    table.put('kind', 'dns', '');
    const how = 'every address of the answer is a backend, named by its address';
    table.take('name', isService ? address : host, [head], how);
    if (isService) table.put('srv', true, '');
    else table.put('port', Number(port), '');
    takeServers(table, options.get('resolvers'), resolvers);
    for (const [name, part] of options) {
      const cap = name === 'maxconn' ? wholeNumber(part.value(1)) : null;
      if (cap !== null) {
        pool.take('max_connections', fittedNumber('max_connections', cap).value, [part]);
      } else if (name === 'resolvers' || name.startsWith('resolve-') || name === 'init-addr') {
        part.unlessMarked((one) => one.changed('the source asks the name servers of the system'));
      } else {
        part.unlessMarked((one) =>
          one.dropped('discovered backends have the settings of their pool only'),
        );
      }
    }
  }
}

/** Name servers by address; those of the system where none is named so. */
function takeServers(
  table: DraftTable,
  option: Part | undefined,
  resolvers: ResolverSections,
): void {
  const statements = option === undefined ? [] : (resolvers.get(option.value(1)) ?? []);
  const usable = statements.flatMap((statement) => {
    const read = serverAddress(statement.value(2).replace(/^udp@/, ''), 53);
    const isIp = read.ok && /^(?:[0-9.]+|\[.*\]):[0-9]+$/.test(read.value.address);
    return isIp ? [{ part: statement.part(), address: read.value.address }] : [];
  });
  const chosen = usable.slice(0, MAX_SERVERS);
  if (option === undefined || chosen.length === 0) return;
  const addresses = chosen.map(({ address }) => address);
  table.take('servers', addresses, [option, ...chosen.map(({ part }) => part)]);
}
