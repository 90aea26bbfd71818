import { readdirSync, readFileSync } from 'node:fs';

/** CPU seconds so far. */
export interface Cpu {
  readonly own: number;
  /** Of all that it has started, and of what they have started: those that ended and those that run. */
  readonly children: number;
}

/** The clock that Linux counts in, by the second. */
const TICKS = 100;

/** @throws where there is no /proc: only Linux tells the CPU time of children that have ended. */
export function cpuOf(pid: number): Cpu {
  const processes = readProcesses();
  const root = processes.get(pid);
  if (root === undefined) return { own: 0, children: 0 };
  const childrenOf = Map.groupBy(processes.values(), ({ parent }) => parent);
  const living = (parent: number): number =>
    (childrenOf.get(parent) ?? []).reduce((sum, { pid, own, ended }) => sum + own + ended + living(pid), 0);
  return { own: root.own, children: root.ended + living(pid) };
}

interface Process extends Pick<Cpu, 'own'> {
  readonly pid: number;
  readonly parent: number;
  /** Of its children that have ended. */
  readonly ended: number;
}

function readProcesses(): ReadonlyMap<number, Process> {
  const processes = new Map<number, Process>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const found = readStat(Number(name));
    if (found !== null) processes.set(found.pid, found);
  }
  return processes;
}

function readStat(pid: number): Process | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The name in parentheses may hold anything. After it: state, parent, …, and from the 12th field on utime, stime,
  // cutime, cstime.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15);
  return {
    pid,
    parent: fields[1] ?? 0,
    own: (user + system) / TICKS,
    ended: (childrenUser + childrenSystem) / TICKS,
  };
}
