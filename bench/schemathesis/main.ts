import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { SetupError } from '../../domain/setup-error.ts';
import { plainEnvironment } from '../../scripts/services/environment.ts';
import { say } from '../../scripts/services/say.ts';
import { openFuzzStage, type FuzzStage } from '../fuzz/stage.ts';
import { runBench, wholeNumber } from '../program.ts';
import { installPython } from '../python.ts';

const HELP = `npm run schemathesis -- [options]

Holds the running program to its own OpenAPI document by Schemathesis (Python), on services of its own: requests that the document allows and ones
that it does not, one by one and in sequences. A 5xx, a status, header, type or body that the document does not name, a malformed request that is
taken, and a call that needs no key though the document says so are faults; the exit code is then 1. It is also 1, and the last line says why, when
Schemathesis cannot be installed: it needs python3 (3.10 or newer) with venv, and a registry of Python packages. It stays below .turnkeeper/.

  --seconds N   how long (default 60)
  --seed N      another one, other requests (default 1)
  --help`;

/** What the document promises. Whether allowed data is taken is not its business: an id may name nothing. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'missing_required_header',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
];

async function main(stopping: AbortSignal): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { seconds: text, seed: text, help: { type: 'boolean' } } });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const seconds = wholeNumber('--seconds', values.seconds ?? '60', { least: 1, most: 86_400 });
  const seed = wholeNumber('--seed', values.seed ?? '1', { least: 0, most: 2_147_483_647 });
  const programs = await installPython('Schemathesis', join(import.meta.dirname, 'requirements.txt'), stopping);
  const program = join(programs, 'st');
  const stage = await openFuzzStage(stopping);
  try {
    const code = await run(program, stage, { seconds, seed, stopping });
    for (const line of stage.complaints) say(`the log: ${line}`);
    if (stage.ended()) throw new SetupError('the program has ended');
    if (code !== 0 || stage.complaints.length > 0)
      throw new SetupError(`Schemathesis ended with ${code}, and the log has ${stage.complaints.length} errors`);
  } finally {
    await stage.close();
  }
}

async function run(
  program: string,
  { url, keys: [admin = ''] }: FuzzStage,
  { seconds, seed, stopping }: { seconds: number; seed: number; stopping: AbortSignal },
): Promise<number> {
  const child = spawn(
    program,
    [
      'run',
      `${url}/api/openapi.json`,
      ...['--header', `Authorization: Bearer ${admin}`],
      ...['--checks', CHECKS.join()],
      // The account's feed never ends.
      ...['--exclude-path', '/api/events'],
      ...['--max-time', String(seconds)],
      ...['--seed', String(seed)],
      ...['--request-timeout', '30'],
      ...['--workers', '4'],
      ...['--generation-database', 'none'],
      '--continue-on-failure',
      '--no-color',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], env: plainEnvironment(), signal: stopping, cwd: dirname(program) },
  );
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code === null) throw new SetupError(`Schemathesis was ended by ${String(signal)}`);
  return code;
}

await runBench(main);
