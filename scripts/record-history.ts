import { spawn } from 'node:child_process';
import { SetupError } from '../domain/setup-error.ts';
import { say } from './services/say.ts';
import { ThrowAway } from './throw-away.ts';

/**
 * `npm run record [-- <type>[/<scenario>] …]`: runs the scenarios of test/replay/scenarios.ts against throw-away
 * services and stores what the server wrote under test/replay/histories (docs/architecture/workflow-code.md).
 */
async function main(scenarios: string[]): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
  const services = await ThrowAway.open(stopping.signal);
  try {
    const recorder = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'test/replay/record.ts', ...scenarios],
      {
        stdio: 'inherit',
        env: { ...process.env, ...(await services.start()) },
        signal: stopping.signal,
      },
    );
    return await new Promise<number>((resolve, reject) => {
      recorder.once('error', reject);
      recorder.once('close', (code) => resolve(code ?? 1));
    });
  } finally {
    await services.close();
  }
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  if (error instanceof Error && error.name === 'AbortError') say('interrupted');
  else say(error instanceof SetupError ? error.message : String(error instanceof Error ? error.stack : error));
  process.exit(1);
}
