import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppConfigError } from '../platform/config-error.ts';
import { readConfig, type Config } from '../platform/config.ts';
import { startStack, type Stack } from './stack.ts';
import { say, SetupError } from './services/say.ts';

/** How long the app may drain (its own limit is SHUTDOWN_GRACE_SECONDS + 5) before it is killed. */
const STOP_WITHIN_MS = 35_000;
const SERVE_WITHIN_MS = 60_000;

/** `npm start`: brings everything up, runs the app until it is told to stop, then stops what it started. `--watch` reloads the app. */
async function main(watch: boolean): Promise<number> {
  const began = performance.now();
  // Without a database of the person's own this is the embedded stack: loopback only, demo users, test routes.
  const config = readConfig({ ...process.env, TURNKEEPER_EMBEDDED: String((process.env['DATABASE_URL'] ?? '') === '') });
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
  await assertPortFree(config);
  const dataDir = resolve(config.dataDir);
  mkdirSync(dataDir, { recursive: true });
  const stack = await startStack(config, dataDir);
  let app: ChildProcess | undefined;
  try {
    if (stopping.signal.aborted) return 0;
    app = startApp(stack, watch);
    const ended = exitOf(app);
    const url = `http://${hostOf(config)}:${config.http.port}`;
    const serving = await Promise.race([waitUntilServing(url, stopping.signal), ended.then(() => false)]);
    if (!serving && !stopping.signal.aborted) throw new SetupError('The app did not come up; see its last lines above.');
    if (serving) printBanner(stack, { url, seconds: (performance.now() - began) / 1_000 });
    const died = stack.services.map(async (service) => {
      await service.died;
      return service.name;
    });
    const aborted = new Promise<null>((done) => {
      if (stopping.signal.aborted) done(null);
      stopping.signal.addEventListener('abort', () => done(null));
    });
    const why = await Promise.race([aborted, ended.then(() => 'the app'), ...died]);
    if (why === null || stopping.signal.aborted) return 0;
    say(`${why} ended by itself: stopping everything (logs are in ${dataDir}/logs)`);
    return 1;
  } finally {
    say('stopping …');
    if (app !== undefined) await stopApp(app);
    await stack.stop();
    say('stopped');
  }
}

function startApp(stack: Stack, watch: boolean): ChildProcess {
  const args = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=64', ...(watch ? ['--watch', '--watch-preserve-output'] : []), 'main.ts'];
  // In a group of its own: a terminal's Ctrl-C reaches it through us, once.
  return spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true, env: { ...process.env, ...stack.variables } });
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    child.once('error', () => done());
    child.once('exit', () => done());
  });
}

async function stopApp(app: ChildProcess): Promise<void> {
  if (app.pid === undefined || app.exitCode !== null || app.signalCode !== null) return;
  const ended = exitOf(app);
  process.kill(-app.pid, 'SIGTERM');
  const late = new AbortController();
  await Promise.race([ended, sleep(STOP_WITHIN_MS, undefined, { signal: late.signal }).catch(() => {})]);
  late.abort();
  if (app.exitCode === null && app.signalCode === null) process.kill(-app.pid, 'SIGKILL');
}

async function waitUntilServing(url: string, stopping: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + SERVE_WITHIN_MS;
  while (Date.now() < deadline && !stopping.aborted) {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_500) }).catch(() => null);
    if (answer?.ok === true) return true;
    await sleep(50);
  }
  return false;
}

/** Where this machine reaches the app. */
function hostOf({ http: { host } }: Config): string {
  return host === '0.0.0.0' || host === '::' ? 'localhost' : host;
}

/** Before anything is started: the one port that is not ours to choose. */
async function assertPortFree({ http }: Config): Promise<void> {
  const server = createServer();
  await new Promise<void>((done, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new SetupError(`PORT: ${http.port} is in use. Stop what listens there, or set PORT to a free port.`) : error);
    });
    server.listen(http.port, http.host, done);
  });
  await new Promise((done) => server.close(done));
}

function printBanner({ demo, temporalUi, services }: Stack, { url, seconds }: { url: string; seconds: number }): void {
  const lines = [
    '', `Turnkeeper is ready after ${seconds.toFixed(1)} s`, '',
    `  app           ${url}`,
    `  API           ${url}/api/docs`,
    ...(temporalUi === null ? [] : [`  Temporal UI   ${temporalUi}`]),
    `  model         ${services.find(({ name }) => name === 'model')?.said ?? ''}`,
    ...(demo === null ? ['  keys          npm run -s turnkeeper -- user create'] : [
      `  demo user     id 1, Bearer ${demo.user.token}`,
      `  demo admin    id 2, Bearer ${demo.admin.token}`,
      '', 'Ask it something:', '',
      `  curl -X POST ${url}/api/chat/send -H "Authorization: Bearer ${demo.user.token}" -d '{"message": "안녕하세요"}'`,
    ]),
    '', 'Ctrl-C stops everything.', '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

try {
  process.exit(await main(process.argv.includes('--watch')));
} catch (error) {
  if (error instanceof SetupError || error instanceof AppConfigError) say(error.message);
  else say(String(error instanceof Error ? error.stack : error));
  process.exit(1);
}
