/** The options of `sluice explain` and `sluice ctl explain`. */
import type { Told } from '../control/route_choice.js';
import type { OptionDescription } from './option.js';
import type { Words } from './word_reader.js';

/** What routes may ask for. */
export const routeOptions: readonly OptionDescription[] = [
  { flags: '--server-name <name>', description: 'the name in its TLS hello' },
  { flags: '--alpn <protocols>', description: 'the protocols in its TLS hello: h2,http/1.1' },
  { flags: '--database <name>', description: 'the database of a Postgres client; else its user' },
  { flags: '--user <name>', description: 'the user of a Postgres client' },
  { flags: '--application <name>', description: 'the application_name of a Postgres client' },
];

export const explainOptions: readonly OptionDescription[] = [
  ...routeOptions,
  { flags: '--json', description: 'print the answer as JSON' },
];

export const EXPLAIN_NOTES =
  'Every backend counts as up and without sessions; what a running daemon would do,\n' +
  '`sluice ctl explain` says. Access lists are read as they are now; limits count no session.';

export function toldBy(words: Words): Told {
  const word = (name: string): string | undefined => {
    const value = words[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    serverName: word('serverName'),
    alpn: word('alpn'),
    database: word('database'),
    user: word('user'),
    application: word('application'),
  };
}
