import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runToEnd } from '../../support/process.js';

const PROGRAM = fileURLToPath(new URL('exhausted.js', import.meta.url));

t.test('without a descriptor an attempt ends, and says that the lack is ours', async (t) => {
  const { stdout, stderr } = await runToEnd(process.execPath, [PROGRAM], { openFiles: 64 });
  const fine = ['ok: ', 'refused: connection refused (ECONNREFUSED)'];
  const none = 'no-resources: no file descriptor left in this process (EMFILE)';
  t.same(stdout.split('\n'), [...fine, none, none, ...fine], stderr);
});
