import { afterEach, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, isAlive, startTimeOf, stopProcess } from '../../scripts/services/identity.ts';
import { readServices, Registry, type Started } from '../../scripts/services/registry.ts';
import { until } from '../support/until.ts';

const children: ChildProcess[] = [];
const folders: string[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

test('what a killed start left behind is stopped by the next one', async () => {
  const dataDir = folder();
  const leftover = await startChild();
  writeRecord(dataDir, [record(leftover, dataDir)]);
  const registry = await Registry.claim(dataDir);
  expect(isAlive(leftover)).toBe(false);
  expect(readServices(dataDir)?.services).toEqual([]);
  registry.release();
});

test('a process that only has the number of a leftover lives on', async () => {
  const dataDir = folder();
  const unrelated = await startChild();
  writeRecord(dataDir, [{ ...record(unrelated, dataDir), startTime: `${unrelated.startTime}0` }]);
  (await Registry.claim(dataDir)).release();
  expect(isAlive(unrelated)).toBe(true);
});

test('a copy of a data directory does not stop the services of the original', async () => {
  const [original, copy] = [folder(), folder()];
  const service = await startChild();
  writeRecord(original, [record(service, original)]);
  cpSync(original, copy, { recursive: true });
  (await Registry.claim(copy)).release();
  expect(isAlive(service)).toBe(true);
});

test('a start is refused while another lives on the directory, whose services are left alone', async () => {
  const dataDir = folder();
  const [owner, service] = [await startChild(), await startChild()];
  writeRecord(dataDir, [record(service, dataDir)]);
  writeFileSync(join(dataDir, 'owner.json'), JSON.stringify({ ...owner, dataDir }));
  await expect(Registry.claim(dataDir)).rejects.toThrow(`Turnkeeper already runs on ${dataDir} (pid ${owner.pid})`);
  expect(isAlive(service)).toBe(true);
});

test('a start waits for another that is stopping', async () => {
  const dataDir = folder();
  const owner = await startChild();
  writeRecord(dataDir, [], { ...owner, dataDir, stopping: true });
  writeFileSync(join(dataDir, 'owner.json'), JSON.stringify({ ...owner, dataDir }));
  let claimed = false;
  const claim = Registry.claim(dataDir).then((registry) => {
    claimed = true;
    return registry;
  });
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(claimed).toBe(false);
  await stopProcess(owner, { signal: 'SIGKILL', withinMs: 5_000 });
  (await claim).release();
});

test('of several starts at the same moment one wins', async () => {
  const dataDir = folder();
  // The lock belongs to a dead owner, so all of them race to take it.
  writeFileSync(join(dataDir, 'owner.json'), JSON.stringify({ pid: 1, startTime: 'never', dataDir }));
  const script = `import { Registry } from ${JSON.stringify(join(import.meta.dirname, '../../scripts/services/registry.ts'))};
    await Registry.claim(${JSON.stringify(dataDir)}).then(() => console.log('won'), () => console.log('lost'));
    process.stdin.resume();`;
  const starts = await Promise.all(Array.from({ length: 4 }, () => startChild(script)));
  expect(starts.map(({ firstLine }) => firstLine).sort()).toEqual(['lost', 'lost', 'lost', 'won']);
});

test('a process that ignores SIGTERM is killed after its time', async () => {
  const stubborn = await startChild("process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000);");
  expect(await stopProcess(stubborn, { signal: 'SIGTERM', withinMs: 300 })).toBe(true);
  expect(isAlive(stubborn)).toBe(false);
});

test.each(['linux', 'darwin'] as const)(
  'a corpse that nobody reaps is no process, as %s tells it',
  async (platform) => {
    // `exec` turns the shell into a program that knows nothing of the child.
    const parent = spawn('sh', ['-c', 'sleep 1000 & echo $!; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(parent);
    const [firstLine] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(firstLine.toString());
    expect(startTimeOf(pid, platform)).not.toBeNull();
    await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'sleep\n');
    process.kill(pid, 'SIGKILL');
    await until(() => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '));
    expect(startTimeOf(pid, platform)).toBeNull();
  },
);

test('the registry, which holds passwords, is for its owner only', async () => {
  const dataDir = folder();
  const registry = await Registry.claim(dataDir);
  expect(statSync(join(dataDir, 'services.json')).mode & 0o777).toBe(0o600);
  registry.release();
});

function folder(): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'turnkeeper-leftovers-')));
  folders.push(made);
  return made;
}

/** Starts a process in a group of its own, as services are, and waits for its first line. */
async function startChild(
  script = "console.log('up'); setInterval(() => {}, 1000);",
): Promise<{ pid: number; startTime: string; firstLine: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  children.push(child);
  const [firstLine] = (await once(child.stdout, 'data')) as [Buffer];
  return { ...identify(child.pid ?? 0), firstLine: firstLine.toString().trim() };
}

function record({ pid, startTime }: { pid: number; startTime: string }, dataDir: string): Started {
  return {
    pid,
    startTime,
    dataDir,
    name: 'redis',
    url: 'redis://127.0.0.1:1',
    port: 1,
    stopSignal: 'SIGTERM',
    stopWithinMs: 5_000,
  };
}

function writeRecord(
  dataDir: string,
  services: Started[],
  owner: object = { pid: 1, startTime: 'never', dataDir, stopping: false },
): void {
  writeFileSync(join(dataDir, 'services.json'), JSON.stringify({ owner, services, addresses: null }));
}
