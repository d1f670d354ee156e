/** The name of a server as clients write it into their TLS hello: in ASCII (RFC 6066, 3). */
import { domainToASCII } from 'node:url';
import { fault, fits, type ReadValue } from './reading.js';

/** RFC 1035, 2.3.4; underscores are no letters of a host, and in use. */
const NAME =
  /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const MAX_NAME_CHARACTERS = 253;

/** In lower case, in ASCII (IDNA), and without a dot at the end. */
export function parseServerName(text: string): ReadValue<string> {
  // Else it would be read as the beginning of an address of the web.
  const name = /[\s/:?#@%[\]\\]/.test(text) ? '' : domainToASCII(text.replace(/\.$/, ''));
  if (name.length > MAX_NAME_CHARACTERS || !NAME.test(name)) {
    return fault('malformed', 'not the name of a server');
  }
  // RFC 6066, 3: no address is allowed there.
  return /^[0-9.]+$/.test(name)
    ? fault('malformed', 'an address, and no client names one')
    : fits(name);
}

/** The same, or with `*.` before it. */
export function parseServerNamePattern(text: string): ReadValue<string> {
  if (!text.startsWith('*.')) return parseServerName(text);
  const ending = parseServerName(text.slice(2));
  return ending.ok ? fits(`*.${ending.value}`) : ending;
}
