import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../../domain/setup-error.ts';
import { findOnPath, lastLine, runToEnd } from '../services/program.ts';
import { say } from '../services/say.ts';

const FILES = ['docker-compose.yml', 'Dockerfile'];
/** An image of somebody else's with its version, perhaps pinned already; ours (`turnkeeper:local`) has no number. */
const IMAGE = /^(\s*image: |FROM )([a-z][a-z/-]*:\d[\w.-]*)(?:@sha256:[0-9a-f]{64})?/gm;

/**
 * `npm run pin-images`: writes the digest that each image's version has today behind it, so that nobody can put another
 * image under the same version. It asks the images' registry through docker, and changes nothing unless all answer.
 * @param folder where the files are.
 * @throws SetupError that names the image whose digest cannot be had.
 */
async function pinImages(folder: string): Promise<void> {
  const texts = FILES.map((file) => [join(folder, file), readFileSync(join(folder, file), 'utf8')] as const);
  const images = new Set(texts.flatMap(([, text]) => [...text.matchAll(IMAGE)].map(([, , image = '']) => image)));
  const digests = new Map<string, string>();
  for (const image of images) digests.set(image, await digestOf(image));
  for (const [file, text] of texts)
    writeFileSync(
      file,
      text.replaceAll(IMAGE, (_all, before: string, image: string) => `${before}${image}@${digests.get(image) ?? ''}`),
    );
  for (const [image, digest] of digests) say(`${image} is ${digest}`);
}

/** The digest of the list that has the image for each kind of machine. */
async function digestOf(image: string): Promise<string> {
  const docker = findOnPath('docker');
  if (docker === null) throw new SetupError('No docker: install it with buildx; nothing was changed.');
  const { ok, output } = await runToEnd(
    docker,
    ['buildx', 'imagetools', 'inspect', image, '--format', '{{.Manifest.Digest}}'],
    { withinMs: 60_000 },
  );
  const [digest] = /^sha256:[0-9a-f]{64}$/m.exec(output) ?? [];
  if (!ok || digest === undefined)
    throw new SetupError(`${image}: no registry tells its digest (${lastLine(output)}); nothing was changed.`);
  return digest;
}

try {
  await pinImages(process.argv[2] ?? join(import.meta.dirname, '..', '..'));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exit(1);
}
