import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { plainEnvironment } from '../../scripts/services/environment.ts';
import type { Values } from './sets.ts';

/** What Kubernetes is given; the checks look at the fields that they need. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: any;
}

export const CHART = join(import.meta.dirname, '..', '..', 'deploy', 'helm');

/** @returns what Helm makes of the chart with these values. @throws Error with what it says when it refuses them. */
export async function render(helm: string, values: Values): Promise<Manifest[]> {
  const output = await run(helm, ['template', 'one', CHART, '--namespace', 'chat', '--kube-version', '1.30.0'], values);
  return parseAllDocuments(output).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const manifest: Manifest | null = document.toJS();
    return manifest === null ? [] : [manifest];
  });
}

/** @throws Error with what Helm's own check of the chart says. */
export async function lint(helm: string, values: Values): Promise<void> {
  await run(helm, ['lint', CHART, '--strict'], values);
}

async function run(helm: string, args: readonly string[], values: Values): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'turnkeeper-helm-'));
  try {
    const file = join(folder, 'values.json');
    writeFileSync(file, JSON.stringify(values));
    // Helm keeps nothing of the machine's own settings, plugins or registries.
    const env = { ...plainEnvironment(), HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
    const options = { env, cwd: folder, timeout: 60_000, maxBuffer: 10_000_000 };
    return (await promisify(execFile)(helm, [...args, '--values', file], options)).stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
