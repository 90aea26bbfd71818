import { readdirSync, readFileSync } from 'node:fs';

/** CPU milliseconds used so far, by the processes' names. */
export type CpuReading = ReadonlyMap<string, number>;

/** /proc counts in ticks of 10 ms: `getconf CLK_TCK` is 100 on every Linux there is. */
const MS_PER_TICK = 10;

/**
 * @param roots the first process of each name. Processes that it started count as its own (PostgreSQL's backends),
 *   living or ended.
 */
export function readCpu(roots: ReadonlyMap<string, number>): CpuReading {
  const stats = readStats();
  const own = process.cpuUsage();
  return new Map([
    ...[...roots].map(([name, pid]) => [name, treeOf(pid, stats).reduce((ms, stat) => ms + stat.cpuMs, 0)] as const),
    ['client', (own.user + own.system) / 1_000],
  ]);
}

/** The process's resident memory in megabytes, shared memory included. */
export function residentMegabytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_024;
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** CPU of the process and of its children that have ended and been waited for. */
  readonly cpuMs: number;
}

function readStats(): Stat[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => parseStat(readFileOrNull(`/proc/${pid}/stat`)) ?? []);
}

/** The name in parentheses may hold anything; the fields after it are numbered from 3 (proc(5)). */
function parseStat(text: string | null): Stat | null {
  if (text === null) return null;
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid: Number.parseInt(text, 10),
    parent: field(4),
    cpuMs: (field(14) + field(15) + field(16) + field(17)) * MS_PER_TICK,
  };
}

function treeOf(root: number, stats: readonly Stat[]): Stat[] {
  const children = Map.groupBy(stats, ({ parent }) => parent);
  const tree = stats.filter(({ pid }) => pid === root);
  for (let i = 0; i < tree.length; i += 1) tree.push(...(children.get(tree[i]?.pid ?? 0) ?? []));
  return tree;
}

/** A process may end between the listing and the reading. */
function readFileOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
