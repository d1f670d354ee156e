/** Lets few names be looked up at the same time; the others wait for their turn. */
import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { MAX_LOOKUPS } from './limits.js';

const waiting: (() => void)[] = [];
let running = 0;

/** getaddrinfo(3), for connections of node:net and node:http. */
export const gatedLookup: LookupFunction = (host, options, callback) => {
  const begin = (): void => {
    running++;
    systemLookup(host, options, (error, address, family) => {
      running--;
      waiting.shift()?.();
      callback(error, address, family);
    });
  };
  if (running < MAX_LOOKUPS) begin();
  else waiting.push(begin);
};
