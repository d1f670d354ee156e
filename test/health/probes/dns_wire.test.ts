import t from 'tap';
import { query, question, responseCode } from '../../../src/health/probes/dns_wire.js';

const ASKED = question('Service.test', 1);

/** A response to the query 0x1234 for ASKED, with `change` applied to it. */
function response(change: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = query(0x1234, ASKED);
  bytes.writeUInt16BE(0x8180, 2);
  change(bytes);
  return bytes;
}

t.test('a query is what RFC 1035 says', async (t) => {
  t.equal(
    query(0x1234, ASKED).toString('hex'),
    `1234010000010000${'0000'.repeat(2)}0753657276696365${'0474657374'}0000010001`,
  );
  t.equal(question('.', 2).toString('hex'), '0000020001', 'the root');
  t.same(question('a.b.', 1), question('a.b', 1), 'a final dot changes nothing');
});

t.test('a response is known by number, bit and question, and names its code', async (t) => {
  const code = (bytes: Buffer) => responseCode(bytes, 0x1234, ASKED);
  t.equal(code(response()), 'NOERROR');
  t.equal(code(response((b) => b.writeUInt8(0x83, 3))), 'NXDOMAIN');
  t.equal(code(response((b) => b.writeUInt8(0x85, 3))), 'REFUSED');
  t.equal(code(response((b) => b.writeUInt8(0x8f, 3))), 'RCODE15');
  t.equal(
    code(response((b) => b.write('sERVICE', 13, 'latin1'))),
    'NOERROR',
    'case does not count',
  );
  t.equal(code(response((b) => b.writeUInt16BE(0x4321, 0))), null, 'another number');
  t.equal(code(response((b) => b.writeUInt8(0x01, 2))), null, 'a query');
  t.equal(code(response((b) => b.write('Zervice', 13, 'latin1'))), null, 'another question');
  t.equal(code(response().subarray(0, 20)), null, 'a question that breaks off');
  t.equal(code(Buffer.alloc(11)), null, 'no header');
  const bare = response((b) => b.writeUInt16BE(0, 4)).subarray(0, 12);
  bare.writeUInt8(0x81, 3);
  t.equal(code(bare), 'FORMERR', 'a server that could not read the question');
});
