import { SetupError } from './domain/setup-error.ts';
import { readConfig } from './platform/config/config.ts';
import { createService } from './service.ts';

/** Serves until the process is asked to stop, or a part of it fails for good. */
async function main(): Promise<void> {
  const service = createService(readConfig());
  const stopped = waitForSignal();
  const { failed } = await service.start();
  try {
    await Promise.race([stopped, failed]);
  } finally {
    await service.close();
  }
}

function waitForSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

try {
  await main();
  process.exit(0);
} catch (error) {
  if (error instanceof SetupError) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
