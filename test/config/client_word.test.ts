/** A client as it is named on a command line. */
import t from 'tap';
import { parseClient } from '../../src/config/client_word.js';
import { formatAddress } from '../../src/core/endpoint.js';

const read = (text: string): string => {
  const client = parseClient(text);
  return client.ok ? formatAddress(client.value) : JSON.stringify(client.faults);
};

t.test('a client is an address, with a port or without', async (t) => {
  t.equal(read('10.0.0.7'), '10.0.0.7:0');
  t.equal(read('10.0.0.7:40000'), '10.0.0.7:40000');
  t.equal(read('2001:db8::7'), '[2001:db8::7]:0');
  t.equal(read('[2001:db8::7]:40000'), '[2001:db8::7]:40000');
});

t.test('one that is IPv4 in IPv6 gets the form in which it is written', async (t) => {
  for (const text of ['::ffff:10.0.0.7', '[::ffff:10.0.0.7]:80', '::ffff:a00:7']) {
    t.match(read(text), 'not an address of a client; write it as IPv4, 10.0.0.7', text);
  }
  for (const text of ['', '10.0.0.0/8', 'localhost', '10.0.0.7.1', '[::g]:80']) {
    t.match(read(text), /not an address of a client"/, text);
  }
});
