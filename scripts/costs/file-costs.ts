import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { cpuOf } from './cpu.ts';

/** What a file of tests cost, in seconds; services by their names. */
export interface FileCost {
  readonly file: string;
  /** By the clock. */
  readonly took: number;
  /** CPU of the process that ran it. */
  readonly tests: number;
  /** CPU of what it started: programs, browsers. */
  readonly started: number;
  readonly services: Readonly<Record<string, number>>;
}

/** Where each process that runs tests writes what they cost, and the services that all of them use. */
export interface Ledger {
  readonly path: string;
  /** Each service's pid. */
  readonly services: Readonly<Record<string, number>>;
}

/** Begins to count for one file; what is returned ends it, and writes it down. */
export function countCosts(file: string, { path, services }: Ledger): () => void {
  const began = performance.now();
  const before = costsNow(services);
  return () => {
    const after = costsNow(services);
    const cost: FileCost = {
      file: relative(process.cwd(), file),
      took: (performance.now() - began) / 1_000,
      tests: after.tests - before.tests,
      started: after.started - before.started,
      services: Object.fromEntries(
        Object.entries(after.services).map(([name, cpu]) => [name, cpu - (before.services[name] ?? 0)]),
      ),
    };
    appendFileSync(path, `${JSON.stringify(cost)}\n`);
  };
}

function costsNow(services: Ledger['services']): Pick<FileCost, 'tests' | 'started' | 'services'> {
  const { own, children } = cpuOf(process.pid);
  return {
    tests: own,
    started: children,
    services: Object.fromEntries(Object.entries(services).map(([name, pid]) => [name, sumOf(pid)])),
  };
}

function sumOf(pid: number): number {
  const { own, children } = cpuOf(pid);
  return own + children;
}

export function readCosts(path: string): FileCost[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as FileCost);
}

/** The most expensive first, and all together at the end. */
export function costsTable(costs: readonly FileCost[]): string[] {
  const names = [...new Set(costs.flatMap(({ services }) => Object.keys(services)))];
  const row = (cells: readonly (string | number)[], file: string) =>
    `${cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell).padStart(10)).join(' ')}  ${file}`;
  const cellsOf = (cost: FileCost) => [
    cpuSeconds(cost),
    cost.tests,
    cost.started,
    ...names.map((name) => cost.services[name] ?? 0),
    cost.took,
  ];
  const rows = costs.toSorted((a, b) => cpuSeconds(b) - cpuSeconds(a));
  const total = rows
    .map(cellsOf)
    .reduce((sums, cells) => sums.map((sum, n) => sum + (cells[n] ?? 0)), Array<number>(names.length + 4).fill(0));
  return [
    row(['CPU s', 'tests', 'started', ...names, 'clock'], 'file'),
    ...rows.map((cost) => row(cellsOf(cost), cost.file)),
    row(total, `all ${rows.length} files`),
  ];
}

function cpuSeconds({ tests, started, services }: FileCost): number {
  return Object.values(services).reduce((sum, cpu) => sum + cpu, tests + started);
}
