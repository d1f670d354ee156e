/** The forms of addresses (src/core/address_text.ts) as readers of a key. */
import {
  type Misread,
  readAddress,
  readBlock,
  readEndpoint,
  readIpEndpoint,
} from '../core/address_text.js';
import type { Address, Endpoint, IpEndpoint } from '../core/endpoint.js';
import type { Result } from '../core/result.js';
import type { AddressBlock } from '../core/spec.js';
import { fault, type ReadValue } from './reading.js';

/** Where a backend is: an IP address, a UNIX socket, or a name to resolve; port 1 to 65535. */
export const parseAddress = (text: string): ReadValue<Address> => asReading(readAddress(text));

/** Where a listener listens: an IP address or a UNIX socket; port 0 asks for any free port. */
export const parseEndpoint = (text: string): ReadValue<Endpoint> => asReading(readEndpoint(text));

/** The same without UNIX sockets. */
export const parseIpEndpoint = (text: string): ReadValue<IpEndpoint> =>
  asReading(readIpEndpoint(text));

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Bits beyond the prefix must be zero. */
export const parseBlock = (text: string): ReadValue<AddressBlock> => asReading(readBlock(text));

function asReading<T>(read: Result<T, Misread>): ReadValue<T> {
  return read.ok ? read : fault(read.error.code, read.error.problem);
}

/** An IP address alone; port 0. */
export function parseHost(text: string): ReadValue<IpEndpoint> {
  return parseIpEndpoint(text.includes(':') ? `[${text}]:0` : `${text}:0`);
}
