/** The process's own use of the machine, compared with what the kernel says. */
import { readFileSync, statSync } from 'node:fs';
import t from 'tap';
import { processUsage } from '../../../src/system/usage.js';

t.test('memory and start time are those in /proc', async (t) => {
  const usage = processUsage();
  const status = readFileSync('/proc/self/status', 'utf8');
  const residentBytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  t.ok(Math.abs(usage.residentBytes / residentBytes - 1) < 0.2);
  const folderMadeSeconds = statSync('/proc/self').ctimeMs / 1000;
  t.ok(Math.abs(usage.startedAtSeconds - folderMadeSeconds) < 60, 'within a minute');
});

t.test('work is counted as CPU time', async (t) => {
  const before = processUsage().cpuSeconds;
  while (processUsage().cpuSeconds - before < 0.02) JSON.stringify(process.versions);
  t.ok(processUsage().cpuSeconds > before);
});
