/** Version 1 to the letter: proxy-protocol.txt, section 2.1. */
import t from 'tap';
import { ipEndpoint } from '../../../src/core/endpoint.js';
import { parse } from '../../../src/session/proxy_protocol/parse.js';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const LONG_HOST = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';

t.test("the specification's example is read, and the payload left alone", (t) => {
  const line = 'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n';
  t.same(parse(bytes(`${line}GET / HTTP/1.1\r\nHost: 192.168.0.11\r\n\r\n`)), {
    kind: 'header',
    version: 1,
    command: 'proxy',
    transport: 'stream',
    source: ipEndpoint(4, '192.168.0.1', 56324),
    destination: ipEndpoint(4, '192.168.0.11', 443),
    tlvs: [],
    length: line.length,
  });
  t.end();
});

t.test('the longest lines of the specification are read', (t) => {
  for (const [line, length] of [
    ['PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n', 56],
    [`PROXY TCP6 ${LONG_HOST} ${LONG_HOST} 65535 65535\r\n`, 104],
    ['PROXY UNKNOWN\r\n', 15],
    [`PROXY UNKNOWN ${LONG_HOST} ${LONG_HOST} 65535 65535\r\n`, 107],
  ] as const) {
    t.equal(line.length, length);
    t.match(parse(bytes(`${line}payload`)), { kind: 'header', length });
  }
  t.end();
});

t.test('IPv6 addresses come out canonical', (t) => {
  const line = 'PROXY TCP6 2001:0DB8:0:0:1:0:0:1 ::ffff:10.0.0.1 0 1\r\n';
  t.match(parse(bytes(line)), {
    source: ipEndpoint(6, '2001:db8::1:0:0:1', 0),
    destination: ipEndpoint(6, '::ffff:10.0.0.1', 1),
  });
  t.end();
});

t.test('UNKNOWN has no addresses, whatever stands before its CRLF', (t) => {
  for (const line of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN \n \r x 1.2.3.4\r\n']) {
    t.match(parse(bytes(line)), {
      kind: 'header',
      transport: null,
      source: null,
      destination: null,
      length: line.length,
    });
  }
  t.end();
});

t.test('a line that is not exactly in the format is bad', (t) => {
  for (const line of [
    'PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1  2\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n',
    'PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n',
    'PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n',
    'PROXY TCP4 0x1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 -2\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 +2\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY TCP6 ::1 5.6.7.8 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY TCP6 1::2::3 ::1 1 2\r\n',
    'PROXY TCP6 12345:: ::1 1 2\r\n',
    'PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n',
    'PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n',
    'PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n',
    'proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY UNKNOWNX\r\n',
    'PROXY\r\n',
    'PROXY \r\n',
  ]) {
    t.equal(parse(bytes(line)).kind, 'bad', JSON.stringify(line));
  }
  t.end();
});

t.test('a single CR or LF does not end a line', (t) => {
  for (const end of ['\n', '\r\r\n', '\rx', '\n\r']) {
    const kind = parse(bytes(`PROXY TCP4 1.2.3.4 5.6.7.8 1 2${end}`)).kind;
    t.equal(kind, 'bad', JSON.stringify(end));
  }
  t.end();
});

t.test('a line without CRLF in its first 107 bytes is bad, and waited for until then', (t) => {
  t.equal(parse(bytes(`PROXY UNKNOWN ${'x'.repeat(92)}`)).kind, 'need-more');
  t.equal(parse(bytes(`PROXY UNKNOWN ${'x'.repeat(93)}`)).kind, 'bad');
  t.equal(parse(bytes(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)).kind, 'bad');
  t.end();
});

t.test('what cannot become a header is bad with the first byte that shows it', (t) => {
  for (const text of ['G', 'PRI * HTTP/2.0', 'PROXX', 'PROXY X', 'PROXY TCP4x']) {
    t.equal(parse(bytes(text)).kind, 'bad', text);
  }
  t.end();
});
