import { resolve } from 'node:path';
import { SetupError } from '../domain/setup-error.ts';
import { readConfig, type Config } from '../platform/config/config.ts';
import { startApp, type AppSettings } from './app.ts';
import { bannerOf } from './banner.ts';
import { runReloading } from './reload.ts';
import { reservePort } from './services/port.ts';
import { closeToOthers } from './services/private-folder.ts';
import { Registry } from './services/registry.ts';
import { say } from './services/say.ts';
import type { ServiceContext } from './services/service.ts';
import { startStack, type Stack } from './stack.ts';
import { buildWeb } from './web-build.ts';
import { startWebDev } from './web-dev.ts';

/**
 * `npm start`: brings everything up, runs the app until it is told to stop, then stops what it started. `--watch`
 * reloads the app.
 */
async function main(watch: boolean): Promise<void> {
  const began = performance.now();
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
  // Without a DATABASE_URL this is the embedded stack: loopback only, demo users, test routes.
  const config = readConfig({
    ...process.env,
    TURNKEEPER_EMBEDDED: String((process.env['DATABASE_URL'] ?? '') === ''),
  });
  const registry = await Registry.claim(resolve(config.dataDir));
  closeToOthers(registry.dataDir);
  const context: ServiceContext = {
    dataDir: registry.dataDir,
    registry,
    throwAway: false,
    durable: true,
    stopping: stopping.signal,
  };
  // Aborted at the end, so that a builder which still runs does not stay behind.
  const ended = new AbortController();
  let stack: Stack | undefined;
  try {
    const port = await reservePort(config.http.port, config.http.host);
    // The builder and the services run at the same time; each is a process of its own.
    const building = watch ? null : buildWeb(AbortSignal.any([context.stopping, ended.signal]));
    building?.catch(() => {});
    stack = await startStack(config, context);
    await serve({ context, stack, config, port, web: await building, watch, began });
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
  } finally {
    ended.abort();
    registry.stopping();
    if (stack !== undefined) say('stopping the services …');
    await stack?.stop();
    registry.release();
    if (stack !== undefined || stopping.signal.aborted) say('stopped');
  }
}

/** @param options.web the folder of the built web app; null when Vite serves it from its sources. */
async function serve({
  context,
  stack,
  config,
  port,
  web,
  watch,
  began,
}: {
  context: ServiceContext;
  stack: Stack;
  config: Config;
  port: number;
  web: string | null;
  watch: boolean;
  began: number;
}): Promise<void> {
  const url = `http://${hostOf(config.http.host)}:${port}`;
  const settings: AppSettings = {
    url,
    port,
    variables: {
      ...stack.variables,
      PORT: String(port),
      // Payment pages lead back to this machine.
      PUBLIC_URL: config.publicUrl ?? url,
      ...(web === null ? {} : { WEB_DIR: web }),
    },
    graceSeconds: config.worker.shutdownGraceSeconds,
  };
  const onServing = (page: string) => {
    context.registry.publish({
      api: url,
      docs: `${url}/api/docs`,
      temporal: { address: stack.urls.temporal, namespace: config.temporal.namespace, ui: stack.temporalUi },
      postgres: { url: stack.urls.postgres },
      redis: { url: stack.urls.redis },
    });
    process.stdout.write(
      bannerOf(stack, { url, web: page, mail: mailOf(config), seconds: (performance.now() - began) / 1_000 }),
    );
  };
  const failed = Promise.race(
    stack.services.map(async (service) => {
      await service.died;
      return service.name;
    }),
  );
  if (watch) {
    const page = await startWebDev(context, url);
    // A service that ends by itself ends the reloading, as a signal does.
    const lost = new AbortController();
    const reloading = runReloading(
      { ...context, stopping: AbortSignal.any([context.stopping, lost.signal]) },
      settings,
      () => onServing(page.url),
    );
    const name = await Promise.race([failed, page.died.then(() => page.name), reloading.then(() => null)]);
    lost.abort();
    await reloading;
    await page.stop();
    if (name !== null) throw endedByItself(name, context);
    return;
  }
  const app = await startApp(context, settings);
  onServing(url);
  try {
    const name = await Promise.race([failed, app.died.then(() => 'the app'), aborted(context.stopping)]);
    if (name !== null && !context.stopping.aborted) throw endedByItself(name, context);
    context.registry.stopping();
    say('stopping the app …');
  } finally {
    await app.stop();
  }
}

function endedByItself(name: string, { dataDir }: ServiceContext): SetupError {
  return new SetupError(`${name} ended by itself, so everything is stopped; logs are in ${dataDir}/logs.`);
}

async function aborted(signal: AbortSignal): Promise<null> {
  return signal.aborted ? null : new Promise((done) => signal.addEventListener('abort', () => done(null)));
}

/** By which server mail leaves, and from whom; null: by none. */
function mailOf({ mail }: Config): string | null {
  return mail === null ? null : `${mail.host}:${mail.port}, from ${mail.from.address}`;
}

/** The host by which this machine reaches the app. */
function hostOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

try {
  await main(process.argv.includes('--watch'));
  process.exit(0);
} catch (error) {
  if (error instanceof SetupError) say(error.message);
  else say(String(error instanceof Error ? error.stack : error));
  process.exit(1);
}
