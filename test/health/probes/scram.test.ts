import t from 'tap';
import { ScramClient } from '../../../src/health/probes/scram.js';

// RFC 7677, section 3.
const NONCE = 'rOprNGfwEbeRWgbNEkqO';
const SERVER_FIRST =
  'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
const CLIENT_FINAL =
  'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
  'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
const SERVER_FINAL = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

t.test('the exchange of RFC 7677 comes out to the letter', async (t) => {
  const scram = new ScramClient('user', 'pencil', NONCE);
  t.equal(scram.first(), `n,,n=user,r=${NONCE}`);
  t.equal(await scram.final(SERVER_FIRST), CLIENT_FINAL);
  t.equal(scram.verified, false);
  scram.verify(SERVER_FINAL);
  t.equal(scram.verified, true);
});

t.test('a server that does not know the password is found out', async (t) => {
  const scram = new ScramClient('user', 'pencil', NONCE);
  t.throws(() => scram.verify('v='), /does not know/, 'before there is anything to verify');
  await scram.final(SERVER_FIRST);
  for (const wrong of [
    'v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    'v=',
    'e=other-error',
    '',
  ]) {
    t.throws(() => scram.verify(wrong), /does not know the password/, wrong);
  }
  t.equal(scram.verified, false);
});

t.test('a first message that is foreign, replayed or too expensive is refused', async (t) => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['r=somebodyelse,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096', /does not continue our SCRAM nonce/],
    [`r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, /does not continue our SCRAM nonce/],
    [`r=${NONCE}more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=900000000`, /900000000 SCRAM iterations/],
    [`r=${NONCE}more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0`, /not SCRAM/],
    [`m=ext,r=${NONCE}more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, /not SCRAM/],
    ['', /not SCRAM/],
  ];
  for (const [serverFirst, reason] of refused) {
    await t.rejects(new ScramClient('', 'pencil', NONCE).final(serverFirst), reason, serverFirst);
  }
});

t.test('names are escaped, and passwords prepared as SASLprep has it', async (t) => {
  t.equal(new ScramClient('a=b,c', '', 'n').first(), 'n,,n=a=3Db=2Cc,r=n');
  // RFC 4013, section 3: a soft hyphen maps to nothing, and U+2168 to "IX".
  const proof = (password: string) => new ScramClient('', password, NONCE).final(SERVER_FIRST);
  t.equal(await proof('I\u00adX'), await proof('IX'));
  t.equal(await proof('\u2168'), await proof('IX'));
  t.equal(await proof('a\u00a0b'), await proof('a b'));
  t.not(await proof('user'), await proof('USER'));
});
