import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMegabytes } from '../processes.ts';

/** What the process holds at one moment. */
export interface Sample {
  /** Seconds since the beginning. */
  readonly at: number;
  readonly megabytes: number;
  readonly descriptors: number;
  readonly sockets: number;
}

/** Looks at a process every second, and asks for its health: how late that is, is how long others wait. */
export class Watch {
  readonly samples: Sample[] = [];
  slowestHealthMs = 0;
  readonly #pid: number;
  readonly #url: string;
  readonly #began = performance.now();

  constructor(pid: number, url: string) {
    this.#pid = pid;
    this.#url = url;
  }

  look(): Sample {
    const links = readdirSync(`/proc/${this.#pid}/fd`).map((name) => linkOf(`/proc/${this.#pid}/fd/${name}`));
    const sample = {
      at: Math.round((performance.now() - this.#began) / 1_000),
      megabytes: Math.round(residentMegabytes(this.#pid)),
      descriptors: links.length,
      sockets: links.filter((link) => link.startsWith('socket:')).length,
    };
    this.samples.push(sample);
    return sample;
  }

  async until(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const asked = performance.now();
      await fetch(`${this.#url}/health`).then((response) => response.text());
      this.slowestHealthMs = Math.round(Math.max(this.slowestHealthMs, performance.now() - asked));
      this.look();
      await sleep(1_000, undefined, { signal: stopping }).catch(() => {});
    }
  }
}

/** A descriptor may be closed between the listing and the reading. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/**
 * How much memory the process keeps after its first third, in megabytes: the least of the last third against the least
 * of the second. The least, because what the collector has not come to yet is no leak.
 */
export function growthOf(samples: readonly Sample[]): number {
  const third = Math.floor(samples.length / 3);
  if (third < 3) return 0;
  const least = (part: readonly Sample[]) => Math.min(...part.map(({ megabytes }) => megabytes));
  return least(samples.slice(-third)) - least(samples.slice(third, 2 * third));
}
