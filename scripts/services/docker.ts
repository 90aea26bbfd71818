import { createHash } from 'node:crypto';
import { findOnPath, runToEnd } from './program.ts';
import type { ServiceContext } from './service.ts';

/** Whether a docker engine answers; the client alone is not enough. */
export async function hasDocker(): Promise<boolean> {
  const docker = findOnPath('docker');
  return (
    docker !== null && (await runToEnd(docker, ['info', '--format', '{{.ServerVersion}}'], { withinMs: 5_000 })).ok
  );
}

/**
 * Arguments of a `docker run` whose container ends with its client process. A client that was killed leaves its
 * container behind. The container is named after the data directory, so it is found and removed here.
 */
export async function prepareContainer(
  context: ServiceContext,
  what: {
    name: string;
    ports: Record<number, number>;
    volumes?: Record<string, string>;
    image: string;
    command: readonly string[];
  },
): Promise<string[]> {
  const name = `turnkeeper-${what.name}-${createHash('sha256').update(context.dataDir).digest('hex').slice(0, 12)}`;
  await runToEnd('docker', ['rm', '--force', name], { withinMs: 30_000 });
  return [
    'run',
    '--rm',
    '--init',
    '--name',
    name,
    ...Object.entries(what.ports).flatMap(([outside, inside]) => ['--publish', `127.0.0.1:${outside}:${inside}`]),
    ...Object.entries(what.volumes ?? {}).flatMap(([outside, inside]) => ['--volume', `${outside}:${inside}`]),
    what.image,
    ...what.command,
  ];
}
