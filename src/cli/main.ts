/** The command line: the only file that knows commander. Each command is a file of its own. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { serve } from '../control/serve.js';
import { check } from './check.js';

const DEFAULT_FILE = '/etc/sluice/sluice.toml';

/**
 * Runs the command in `argv` (as process.argv) and answers the exit code: 0 good, 1 bad, 2 wrong
 * usage.
 */
export async function main(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command('sluice')
    .description('A layer-4 TCP and UDP load balancer that explains itself.')
    .version(version(), '-V, --version', 'print the version')
    .option('--debug', 'show stack traces of errors', false)
    .exitOverride()
    .showHelpAfterError('(sluice --help lists the commands and options)');
  const command = (name: string, description: string): Command =>
    program.command(name).description(description);

  command('run', 'run the daemon in the foreground')
    .option('-c, --config <file>', 'configuration file', DEFAULT_FILE)
    .action(async ({ config }: { config: string }) => {
      code = await serve({ file: config, version: version(), stderr: process.stderr });
    });
  command('check', 'say everything that is wrong with a configuration file')
    .option('-c, --config <file>', 'configuration file', DEFAULT_FILE)
    .action(async ({ config }: { config: string }) => {
      code = await check(config);
    });

  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    return explain(error, argv.includes('--debug') ? 'with-stack' : 'sentence');
  }
  return code;
}

function explain(error: unknown, detail: 'with-stack' | 'sentence'): number {
  // Commander has already written its own sentence; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const told = error instanceof Error ? error : new Error(String(error));
  const text = detail === 'with-stack' ? (told.stack ?? told.message) : told.message;
  process.stderr.write(`sluice: ${text}\n`);
  return 1;
}

function version(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
