/** As much of a protocol as the checks of proxies speak. */
import type { Manner } from './servers.js';

/** Lines of text, as SMTP and Redis have them; `say` answers one of them, without its end. */
function lines(say: (line: string) => string): NonNullable<Manner['answer']> {
  return (text) => {
    const end = text.indexOf('\n');
    return end < 0 ? null : { used: end + 1, say: say(text.slice(0, end).trimEnd()) };
  };
}

export function smtp(): Manner {
  const say = (line: string): string => {
    if (/^(?:EHLO|HELO) /.test(line)) return '250 mail.example.org\r\n';
    return line === 'QUIT' ? '221 bye\r\n' : '500 what?\r\n';
  };
  return { greeting: '220 mail.example.org ESMTP\r\n', answer: lines(say) };
}

/** A Redis server of a role; `*2\r\n$4\r\nINFO…` and the like are read by their words. */
export function redis(role: () => 'master' | 'slave'): () => Manner {
  const say = (line: string): string => {
    const word = line.toUpperCase();
    if (word.startsWith('AUTH') || word === 'QUIT') return '+OK\r\n';
    if (word === 'PING') return '+PONG\r\n';
    if (!word.startsWith('INFO')) return '';
    const body = `# Replication\r\nrole:${role()}\r\n`;
    return `$${body.length}\r\n${body}\r\n`;
  };
  return () => ({ answer: lines(say) });
}

/** Handshake protocol 10; every login is let in. */
export function mysql(): Manner {
  const greeting = [
    '\x0a10.11.6-MariaDB\0\x01\0\0\0abcdefgh\0',
    '\xff\xf7\x2d\x02\0\xff\x81\x15',
    '\0'.repeat(10),
    'ijklmnopqrst\0mysql_native_password\0',
  ].join('');
  const answer: Manner['answer'] = (text) => {
    if (text.length < 4) return null;
    const byte = (at: number): number => text.charCodeAt(at);
    const used = 4 + byte(0) + (byte(1) << 8);
    if (text.length < used) return null;
    const isLogin = byte(3) > 0;
    return { used, say: isLogin ? packet(byte(3) + 1, '\0\0\0\x02\0\0\0') : '' };
  };
  return { greeting: packet(0, greeting), answer };
}

function packet(sequence: number, body: string): string {
  return `${String.fromCharCode(body.length & 255, body.length >> 8, 0, sequence)}${body}`;
}

/** A client that sends a start-up message is asked for a password. */
export function postgres(): Manner {
  return {
    answer: (text) => {
      const bytes = Buffer.from(text, 'latin1');
      if (bytes.length < 8 || bytes.length < bytes.readUInt32BE(0)) return null;
      return { used: bytes.readUInt32BE(0), say: 'R\0\0\0\x08\0\0\0\x03' };
    },
  };
}

/** Binding without a name is allowed (RFC 4511). */
export function ldap(): Manner {
  return {
    answer: (text) => {
      if (text.length < 14) return null;
      return { used: text.length, say: '0\x0c\x02\x01\x01a\x07\x0a\x01\0\x04\0\x04\0' };
    },
  };
}

/** DNS over TCP (RFC 7766): the question comes back as an answer without records. */
export function dns(): Manner {
  return {
    answer: (text) => {
      if (text.length < 2) return null;
      const used = 2 + text.charCodeAt(0) * 256 + text.charCodeAt(1);
      if (text.length < used) return null;
      const flags = '\x81\x80';
      return { used, say: `${text.slice(0, 4)}${flags}${text.slice(6, used)}` };
    },
  };
}
