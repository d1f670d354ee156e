/** Bytes as a file has them. */
import t from 'tap';
import { MAX_PAYLOAD_BYTES, parsePayload } from '../../src/config/payload.js';

const hex = (text: string): string => {
  const parsed = parsePayload(text);
  if (!parsed.ok) return parsed.faults.map(({ problem }) => problem).join();
  return Buffer.from(parsed.value).toString('hex');
};

t.test('text is UTF-8 but for its escapes', async (t) => {
  t.equal(hex('PING\\r\\n'), Buffer.from('PING\r\n').toString('hex'));
  t.equal(hex('PING\r\n'), Buffer.from('PING\r\n').toString('hex'), 'TOML may have read them');
  t.equal(hex('\\x00\\xff\\xFe'), '00fffe');
  t.equal(hex('\\\\x41\\0\\t'), '5c7834310009');
  t.equal(hex('é€'), Buffer.from('é€').toString('hex'));
});

t.test('hex digits come in pairs, with any space between them', async (t) => {
  t.equal(hex('hex:50494e47'), '50494e47');
  t.equal(hex('hex: 50 49\n4E 47 '), '50494e47');
});

t.test('what cannot be read says why', async (t) => {
  t.equal(hex(''), 'no byte');
  t.equal(hex('hex:'), 'no byte');
  t.equal(hex('hex:5'), 'not pairs of hex digits');
  t.equal(hex('hex:zz'), 'not pairs of hex digits');
  t.equal(hex('\\q'), 'unknown escape \\q');
  t.equal(hex('\\x4'), 'unknown escape \\x');
  t.equal(hex('a\\'), 'unknown escape \\');
});

t.test('a payload has a limit', async (t) => {
  t.equal(hex('a'.repeat(MAX_PAYLOAD_BYTES)).length, 2 * MAX_PAYLOAD_BYTES);
  t.equal(hex('a'.repeat(MAX_PAYLOAD_BYTES + 1)), 'too long');
});
