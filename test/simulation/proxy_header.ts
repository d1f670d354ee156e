/** PROXY headers that simulated clients send, as latin1 text. */
import { ipEndpoint } from '../../src/core/endpoint.js';
import { encodeV2 } from '../../src/session/proxy_protocol/encode.js';

const text = (transport: 'stream' | 'dgram'): string =>
  Buffer.from(
    encodeV2({
      transport,
      source: ipEndpoint(4, '203.0.113.7', 33_333),
      destination: ipEndpoint(4, '203.0.113.1', 443),
      tlvs: [],
    }),
  ).toString('latin1');

export const CLIENT_HEADER = { stream: text('stream'), dgram: text('dgram') } as const;
