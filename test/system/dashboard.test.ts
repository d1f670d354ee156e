/** The dashboard of the real daemon in a real browser: what it shows, and changes with a token. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { noBrowser, openPage, rowsOf, startBrowser } from '../support/browser.js';
import { startDaemon } from '../support/daemon.js';
import { startEchoes } from '../support/load/echo_backend.js';
import { tempFolder } from '../support/places.js';
import { serviceText } from '../support/settings.js';
import { dial } from '../support/wire.js';

const TOKEN = 'correct-horse-battery';

t.test('a backend is drained and brought back by clicks', { skip: noBrowser }, async (t) => {
  const echoes = await startEchoes(t, 2);
  const tokenFile = join(tempFolder(t), 'token');
  writeFileSync(tokenFile, TOKEN);
  const backends = echoes.map(({ address }, index) => ({ name: `b${index}`, address }));
  const daemon = await startDaemon(t, {
    toml: serviceText({ name: 'app', policy: 'round-robin', backends }),
    adminLines: `token_file = "${tokenFile}"`,
  });
  await daemon.backendsUp('app', 2);
  const wire = await dial(t, { port: await daemon.port('app') });
  await wire.send('x');
  await wire.read(1);
  const browser = await startBrowser(t);
  const { address } = await daemon.event('admin-listening');
  const { page, complaints } = await openPage(t, browser, `http://${address}/#backend=app/b0`);
  const detail = page.locator('#detail');
  const asked = page.locator('#asked');
  await detail.getByText('backend-up').waitFor();
  t.equal(await detail.getByRole('button', { name: 'Drain' }).count(), 0, 'not without a token');

  await detail.getByRole('button', { name: 'Token' }).click();
  await asked.getByLabel('Token').fill('wrong');
  await asked.getByRole('button', { name: 'Keep it' }).click();
  await asked.getByText('This is not the token').waitFor();
  await asked.getByLabel('Token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await detail.getByRole('button', { name: 'Drain' }).click();
  await asked.getByRole('button', { name: 'No' }).click();
  await detail.getByRole('button', { name: 'Drain' }).click();
  t.equal(daemon.eventsNamed('override-set').length, 0, 'nothing before a yes');
  await asked.getByLabel('Because').fill('kernel update');
  await asked.getByLabel('For').fill('1 h');
  await asked.getByRole('button', { name: 'Yes, drain' }).click();
  await asked.getByText('expected a time such as 30s').waitFor();
  await asked.getByLabel('For').fill('1h');
  await asked.getByRole('button', { name: 'Yes, drain' }).click();
  t.match(await daemon.event('override-set'), { backend: 'b0', by: 'token' });
  await detail.getByText('drained by token until').first().waitFor();
  await detail.getByRole('button', { name: 'Sessions' }).click();
  await detail.getByText('no session').or(detail.getByText('relaying')).first().waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#overrides').getByText('kernel update').waitFor();
  const [deviation] = await rowsOf(page, '#overrides');
  t.match(deviation, ['app/b0', 'drained', 'ready', 'token', / ago$/, /^in /, 'kernel update']);

  await page.locator('#rows').getByRole('button', { name: 'app/b0' }).click();
  await detail.getByRole('button', { name: 'Ready' }).click();
  await asked.getByRole('button', { name: 'Yes, ready' }).click();
  await daemon.event('override-ended');
  await detail.getByRole('button', { name: 'Weight' }).click();
  await asked.getByLabel('Weight').fill('50%');
  await asked.getByRole('button', { name: 'Yes, weight' }).click();
  t.match(await daemon.event('override-set', ({ kind }) => kind === 'weight'), { value: '50%' });
  await page.keyboard.press('Escape');
  await page.locator('#deviations').getByText('weight 50%').waitFor();
  // The browser itself tells of each answer that is a refusal.
  t.same(
    complaints.filter((text) => !text.startsWith('Failed to load resource')),
    [],
  );
});
