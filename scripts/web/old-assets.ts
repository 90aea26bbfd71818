import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Lists the assets that a build made itself, beside its folder: those that it took over are not in it. */
const listOf = (folder: string) => `${folder}.assets.json`;

/**
 * Puts the assets of the build before into a new one: a page that was opened before the change still asks for them.
 * Their names are hashes of their content, so nothing is replaced. Only one build is kept so.
 * @param part where the new build is now. @param folder where it will be. @param folders the builds before it.
 */
export async function keepOldAssets(
  part: string,
  { folder, folders }: { folder: string; folders: readonly string[] },
): Promise<void> {
  const own = await readdir(join(part, 'assets'));
  const before = await newestOf(folders);
  if (before !== null) {
    await mkdir(join(part, 'assets'), { recursive: true });
    for (const name of before.names)
      await cp(join(before.folder, 'assets', name), join(part, 'assets', name), { force: false }).catch(() => {});
  }
  await writeFile(listOf(folder), JSON.stringify(own));
}

async function newestOf(folders: readonly string[]): Promise<{ folder: string; names: readonly string[] } | null> {
  const builds = await Promise.all(
    folders.map(async (folder) => {
      const [listed, at] = await Promise.all([
        readFile(listOf(folder), 'utf8').catch(() => null),
        stat(folder).then(
          ({ mtimeMs }) => mtimeMs,
          () => 0,
        ),
      ]);
      return listed === null || at === 0 ? [] : [{ folder, at, names: JSON.parse(listed) as readonly string[] }];
    }),
  );
  return builds.flat().sort((a, b) => b.at - a.at)[0] ?? null;
}
