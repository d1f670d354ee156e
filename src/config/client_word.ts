/** A client as it is named on a command line: an address, with a port or without. */
import { ipEndpoint, type Peer, peerAt } from '../core/endpoint.js';
import { ipBytes, ipText, unmapped } from '../core/ip_bytes.js';
import { parseBlock, parseIpEndpoint } from './address.js';
import { fault, fits, type ReadValue } from './reading.js';

const NO_BYTES = new Uint8Array(0);

/** `10.0.0.7`, `10.0.0.7:40000`, `2001:db8::7`, `[2001:db8::7]:40000`; `unix` for a UNIX peer. */
export function parseClient(text: string): ReadValue<Peer> {
  if (text === 'unix') return fits({ kind: 'unix', path: '' });
  const block = text.includes('/') ? null : parseBlock(text);
  if (block?.ok) return fits(peerAt(ipEndpoint(block.value.family, block.value.host, 0)));
  const endpoint = text === '' ? null : parseIpEndpoint(text);
  if (endpoint?.ok) return fits(peerAt(endpoint.value));
  const inner = unmapped(ipBytes(/^\[(.*)\]:[0-9]+$/.exec(text)?.[1] ?? text) ?? NO_BYTES);
  const isMapped = text.includes(':') && inner.length === 4;
  const hint = isMapped ? `; write it as IPv4, ${ipText(4, inner)}` : '';
  return fault('malformed', `not an address of a client${hint}`);
}
