// Every npm script begins here. It uses only Node's built-in modules, because a fresh clone has nothing installed yet.
// Node 20 is enough for this file.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'node_modules', '.installed-lock');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const NPM = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/**
 * The packages whose install scripts run (.npmrc lets none run by itself): `node` fetches Node 24, for which the others
 * have no use. PostgreSQL's makes links, which scripts/services/postgres/home.ts makes when they are missing.
 */
const MAY_RUN_SCRIPTS = ['node'];

/** What each npm script runs on Node 24, one step after the other. */
const COMMANDS = {
  start: [['scripts/up.ts']],
  dev: [['scripts/up.ts', '--watch']],
  test: [['scripts/with-services.ts']],
  'test:fast': [['scripts/with-services.ts', '--fast']],
  'build:web': [['scripts/web/build-into.ts']],
  postman: [['docs/postman/make.ts']],
  record: [['scripts/record-history.ts']],
  'pin-images': [['scripts/supply/pin-images.ts']],
  'review-dependencies': [['scripts/supply/review-dependencies.ts']],
  check: [['scripts/checks.ts'], ['scripts/with-services.ts', '--fast']],
  format: [['node_modules/prettier/bin/prettier.cjs', '--write', '--log-level=warn', '.']],
  'bench:turn': [['bench/turn.ts']],
  'bench:door': [['bench/turn.ts', '--door']],
  'bench:stats': [['bench/stats.ts']],
  'bench:turns': [['bench/turns-list.ts']],
  'bench:ledger': [['bench/ledger.ts']],
  'bench:search': [['bench/search.ts']],
  'bench:growth': [['bench/growth.ts']],
  'bench:web': [['bench/web.ts']],
  chaos: [['bench/chaos.ts']],
  rolling: [['bench/rolling.ts']],
  'bench:pauses': [['bench/pauses.ts']],
  'bench:schedules': [['bench/schedules.ts']],
  'bench:processes': [['bench/beside.ts']],
  'bench:mail': [['bench/mail/main.ts']],
  'bench:months': [['bench/months/main.ts']],
  fuzz: [['bench/fuzz/main.ts']],
  schemathesis: [['bench/schemathesis/main.ts']],
  'test:clients': [['bench/clients/main.ts']],
  'test:helm': [['bench/helm/main.ts']],
  cli: [['cli/main.ts']],
  'mikro-orm': [['node_modules/@mikro-orm/cli/cli.js']],
};

// Node keeps compiled code in this folder: a command then starts in 0.4 s of CPU instead of 0.65, the app in 1.3
// instead of 1.9.
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules', '.cache', 'turnkeeper', 'compiled');

if (Number(process.versions.node.split('.')[0]) < 20) fail(`Node 20 or newer is needed; this is ${process.version}.`);
const [command = 'start', ...rest] = process.argv.slice(2);
const steps = COMMANDS[command];
if (steps === undefined) fail(`No such command: ${command}. There are ${Object.keys(COMMANDS).join(', ')}.`);
await install();
const node = await findNode();
for (const step of steps) {
  const code = await run(node, [
    '--disable-warning=ExperimentalWarning',
    ...(existsSync(join(root, '.env')) ? ['--env-file=.env'] : []),
    ...step,
    ...(step === steps.at(-1) ? rest : []),
  ]);
  if (code !== 0) process.exit(code);
}

/** Installs the locked dependencies unless exactly these are installed. */
async function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  const began = Date.now();
  const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`;
  say('installing the locked dependencies (npm ci) …');
  const progress = setInterval(() => say(`installing the locked dependencies … ${seconds()}`), 10_000);
  // Packages for tests are installed even with NODE_ENV=production; the container image is built with --omit=dev.
  const code = await run(NPM, ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  clearInterval(progress);
  if (code !== 0) fail("npm ci failed (see above). Check the network and npm's registry, then try again.");
  writeFileSync(stamp, lock);
  say(`installed in ${seconds()}`);
}

/** The npm package `node` carries Node 24. After a plain `npm ci`, too, its script has not run yet. */
async function findNode() {
  const local = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(local)) await run(NPM, ['rebuild', ...MAY_RUN_SCRIPTS, '--ignore-scripts=false', '--loglevel=error']);
  if (existsSync(local) && spawnSync(local, ['--version'], { encoding: 'utf8' }).stdout?.startsWith('v24.'))
    return local;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  fail('Node 24 could not be installed from the npm package `node`. Install Node 24 and try again.');
}

/** @returns the exit code; 0 when the signal that we passed on ended it before it could exit by itself. */
function run(file, args) {
  return new Promise((resolve) => {
    let asked = null;
    // A terminal signals the whole group, a supervisor only us. The child takes our signal and the terminal's as one.
    const forward = (signal) => {
      asked = signal;
      child.kill(signal);
    };
    // Handlers come before the child: a signal in between would end us and leave the child running.
    for (const signal of SIGNALS) process.on(signal, forward);
    const child = spawn(file, args, { cwd: root, stdio: 'inherit' });
    const orphaned = watchParent(() => forward('SIGTERM'));
    child.on('error', (error) => fail(`${file} could not be run: ${error.message}`));
    child.on('exit', (code, signal) => {
      clearInterval(orphaned);
      for (const name of SIGNALS) process.off(name, forward);
      resolve(
        code ?? (signal === asked && (command === 'start' || command === 'dev') ? 0 : 128 + constants.signals[signal]),
      );
    });
  });
}

/**
 * Notices that npm is gone. npm passes a signal only to its shell, which ends without telling us, and npm itself may be
 * killed. A start from a shell may outlive that shell, so this watches only under npm.
 */
function watchParent(onGone) {
  const parent = process.ppid;
  return setInterval(() => {
    if (process.env.npm_lifecycle_event !== undefined && process.ppid !== parent) onGone();
  }, 250).unref();
}

function say(line) {
  process.stderr.write(`turnkeeper: ${line}\n`);
}

function fail(line) {
  say(line);
  process.exit(1);
}
