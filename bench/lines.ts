import { say } from '../scripts/services/say.ts';
import { percentile } from './figures.ts';

/** One measurement in milliseconds, beside its target. */
export interface Line {
  readonly what: string;
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  readonly target: string;
  readonly met: boolean;
}

export interface Timed {
  readonly what: string;
  readonly samples: readonly number[];
}

/**
 * Times the work after a tenth as many runs that are not counted. Connections, plans and pages are then warm, as in a
 * service that has been running.
 */
export async function timed(what: string, times: number, work: () => Promise<unknown>): Promise<Timed> {
  say(`measuring: ${what}`);
  for (let i = 0; i < times / 10; i += 1) await work();
  const samples: number[] = [];
  for (let i = 0; i < times; i += 1) {
    const began = performance.now();
    await work();
    samples.push(performance.now() - began);
  }
  return { what, samples };
}

export function judge({ what, samples }: Timed, figure: 'p50' | 'p99' | 'most', limit: number): Line {
  const figures = { p50: percentile(samples, 0.5), p99: percentile(samples, 0.99), most: percentile(samples, 1) };
  return { what, samples: samples.length, ...figures, target: `${figure} ≤ ${limit}`, met: figures[figure] <= limit };
}

export function textOf(lines: readonly Line[], title: string): string {
  const width = Math.max(...lines.map(({ what }) => what.length));
  const row = (what: string, ...cells: string[]) =>
    `${what.padEnd(width)}  ${cells.map((cell) => cell.padStart(9)).join('')}`;
  const table = lines.map(
    ({ what, p50, p99, most, target, met }) =>
      `${row(what, p50.toFixed(2), p99.toFixed(2), most.toFixed(2))}   ${target} ${met ? 'met' : 'MISSED'}`,
  );
  return `${title}; milliseconds\n${row('', 'p50', 'p99', 'most')}   target\n${table.join('\n')}\n`;
}
