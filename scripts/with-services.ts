import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from './services/registry.ts';
import { say, SetupError } from './services/say.ts';
import { startPostgres } from './services/postgres.ts';
import { startRedis } from './services/redis.ts';
import { startTemporal } from './services/temporal.ts';
import type { Service } from './services/service.ts';

/** Lanes that need no service: `npm run test:fast`. */
const FAST = ['test/domain', 'test/model', 'test/tidy.test.ts'];

interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

/**
 * `npm test [-- jest arguments]`: throw-away services, then jest. `--fast`: only the lanes without services. `--keep`: leaves the services
 * running, with the variables to use them, until Ctrl-C. The last line is always `N passed, N failed`; nothing is skipped in silence.
 */
async function main(args: string[]): Promise<number> {
  const fast = args.includes('--fast');
  const jestArgs = args.filter((arg) => arg !== '--fast' && arg !== '--keep');
  const dataDir = mkdtempSync(join(tmpdir(), 'turnkeeper-test-'));
  const services: Service[] = [];
  let child: ReturnType<typeof spawn> | undefined;
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        child?.kill('SIGTERM');
        resolve();
      });
    }
  });
  let summary = { passed: 0, failed: 1 };
  try {
    const variables = fast ? {} : await startServices(dataDir, services);
    if (args.includes('--keep')) {
      for (const [name, value] of Object.entries(variables)) process.stdout.write(`export ${name}=${value}\n`);
      await interrupted;
      return 0;
    }
    const resultFile = join(dataDir, 'result.json');
    child = spawn(process.execPath, [
      'node_modules/jest/bin/jest.js', '--json', `--outputFile=${resultFile}`, ...(fast ? FAST : []), ...jestArgs,
    ], {
      // The JSON on standard output is the file's twin; what people read goes to standard error.
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...variables, NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' },
    });
    await new Promise((resolve) => child?.once('close', resolve));
    summary = summarise(JSON.parse(readFileSync(resultFile, 'utf8')) as JestResult);
  } catch (error) {
    say(error instanceof SetupError ? error.message : String(error instanceof Error ? error.stack : error));
  } finally {
    for (const service of services.reverse()) await service.stop();
    rmSync(dataDir, { recursive: true, force: true });
    process.stdout.write(`${summary.passed} passed, ${summary.failed} failed\n`);
  }
  return summary.failed === 0 ? 0 : 1;
}

/** A suite that could not run is a failure, and so is a run without a single test. */
function summarise(result: JestResult): { passed: number; failed: number } {
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return { passed: result.numPassedTests, failed: result.numPassedTests + failed === 0 ? 1 : failed };
}

async function startServices(dataDir: string, services: Service[]): Promise<Record<string, string>> {
  const ground = { dataDir, registry: await Registry.claim(dataDir), throwAway: true };
  const start = async <S extends Service>(starting: Promise<S>): Promise<S> => {
    const service = await starting;
    services.push(service);
    return service;
  };
  const began = performance.now();
  const started = await Promise.allSettled([
    start(startPostgres(ground, undefined)),
    start(startRedis(ground, undefined)),
    start(startTemporal(ground, { address: undefined, uiUrl: undefined })),
  ]);
  const [postgres, redis, temporal] = started.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value.url;
  });
  say(`services ready after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
  return { TEST_DATABASE_URL: postgres ?? '', TEST_REDIS_URL: redis ?? '', TEST_TEMPORAL_ADDRESS: temporal ?? '' };
}

process.exit(await main(process.argv.slice(2)));
