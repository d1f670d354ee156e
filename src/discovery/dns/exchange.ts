/** One question to one name server: over UDP, and over TCP when the reply does not fit. */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { IpEndpoint } from '../../core/endpoint.js';
import { type DnsQuestion, type DnsReply, decodeReply, encodeQuestion } from './wire.js';

export type DnsExchange =
  | { readonly kind: 'reply'; readonly reply: DnsReply }
  | { readonly kind: 'none'; readonly why: 'silent' | 'unreachable' | 'garbage' };

/** Datagrams that are no reply; more of them are an attack, and the question goes elsewhere. */
const MAX_STRANGE = 16;

/** Ends with `signal` at the latest, and never rejects. */
export async function askServer(
  server: IpEndpoint,
  question: DnsQuestion,
  signal: AbortSignal,
): Promise<DnsExchange> {
  const heard = await overUdp(server, question, signal);
  if (heard.kind === 'none' || heard.reply.size === 'whole') return heard;
  return overTcp(server, question, signal);
}

function overUdp(
  { family, host, port }: IpEndpoint,
  question: DnsQuestion,
  signal: AbortSignal,
): Promise<DnsExchange> {
  return new Promise((resolve) => {
    const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
    let strange = 0;
    const end = (outcome: DnsExchange): void => {
      signal.removeEventListener('abort', give);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.close();
      resolve(outcome);
    };
    const give = (): void => end({ kind: 'none', why: strange > 0 ? 'garbage' : 'silent' });
    socket.once('error', () => end({ kind: 'none', why: 'unreachable' }));
    socket.on('message', (bytes) => {
      const reply = decodeReply(bytes, question);
      if (reply !== null) end({ kind: 'reply', reply });
      // This may be an attempt to guess the port; the real reply may still come.
      else if (++strange >= MAX_STRANGE) end({ kind: 'none', why: 'garbage' });
    });
    if (signal.aborted) {
      give();
      return;
    }
    signal.addEventListener('abort', give, { once: true });
    // Connected: the kernel takes nothing from others, and reports ICMP unreachable.
    socket.connect(port, host, () => socket.send(encodeQuestion(question)));
  });
}

/** RFC 7766: two bytes of length before each message. */
function overTcp(
  { host, port }: IpEndpoint,
  question: DnsQuestion,
  signal: AbortSignal,
): Promise<DnsExchange> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let bytes = Buffer.alloc(0);
    const end = (outcome: DnsExchange): void => {
      signal.removeEventListener('abort', give);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
      resolve(outcome);
    };
    const give = (): void => end({ kind: 'none', why: 'silent' });
    socket.once('error', () => end({ kind: 'none', why: 'unreachable' }));
    socket.once('close', () => end({ kind: 'none', why: 'garbage' }));
    socket.once('connect', () => {
      const asked = encodeQuestion(question);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(asked.length);
      socket.write(Buffer.concat([length, asked]));
    });
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
      const reply = decodeReply(bytes.subarray(2, 2 + bytes.readUInt16BE(0)), question);
      end(reply === null ? { kind: 'none', why: 'garbage' } : { kind: 'reply', reply });
    });
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}
