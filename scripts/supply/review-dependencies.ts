import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runToEnd } from '../services/program.ts';
import { say } from '../services/say.ts';
import { packagesOf, type Manifest } from './locked.ts';

const root = join(import.meta.dirname, '..', '..');
const FILE = join(root, 'docs/dependencies.md');

/** What a registry says of a package, as the table shows it. */
interface Told {
  readonly maintainers: string;
  readonly lastRelease: string;
}

/**
 * `npm run review-dependencies [-- name …|--all]`: writes docs/dependencies.md. Versions and licences are the lock
 * file's, homes the installed packages'. Maintainers and the last release are asked of npm's registry, for the packages
 * that are named; of the others, the table keeps what it has.
 */
async function review(asked: readonly string[]): Promise<void> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  const locked = packagesOf(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const known = readTold(existsSync(FILE) ? readFileSync(FILE, 'utf8') : '');
  const section = async (dependencies: Readonly<Record<string, string>>) => {
    const rows = [];
    for (const name of Object.keys(dependencies)) {
      const told = asked.includes(name) || asked.includes('--all') ? await ask(name) : known.get(name);
      const { version = '', licence = '' } = locked.find(({ path }) => path === `node_modules/${name}`) ?? {};
      rows.push(
        `| \`${name}\` | ${[version, licence, homeOf(name), told?.maintainers ?? '', told?.lastRelease ?? ''].join(' | ')} |`,
      );
    }
    return [HEAD, ...rows].join('\n');
  };
  const licences = Map.groupBy(locked, ({ licence }) => licence);
  const text = [
    INTRODUCTION,
    '## What the program runs on',
    await section(manifest.dependencies),
    '## What builds and tests it',
    await section(manifest.devDependencies),
    '## Licences of all packages that are locked, theirs included',
    [
      '| licence | packages |\n| --- | --- |',
      ...[...licences]
        .toSorted(([a, one], [b, two]) => two.length - one.length || a.localeCompare(b))
        .map(([licence, { length }]) => `| ${licence} | ${length} |`),
    ].join('\n'),
  ].join('\n\n');
  writeFileSync(FILE, `${text}\n`);
  await runToEnd(process.execPath, ['node_modules/prettier/bin/prettier.cjs', '--write', FILE], {
    cwd: root,
    withinMs: 60_000,
  });
  say(`${FILE} is written`);
}

const HEAD =
  '| package | version | licence | home | maintainers | last release |\n| --- | --- | --- | --- | --- | --- |';
const INTRODUCTION = `# Dependencies

Made by \`npm run review-dependencies\`; a test holds versions and licences to the lock file. Look at it when a package is
added: whose it is, under which licence, and whether anybody still keeps it. _Maintainers_ (how many may publish) and
_last release_ are what npm's registry said when somebody last asked it for the package
(\`npm run review-dependencies -- NAME\`, or \`--all\`); an empty cell was not asked yet.`;

/** Whose repository the package comes from: the owner of its repository, or its own name for one elsewhere. */
function homeOf(name: string): string {
  const { repository } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
    repository?: string | { url?: string };
  };
  const url = (typeof repository === 'string' ? repository : repository?.url) ?? '';
  const [, path = ''] = /(?:github\.com[/:]|^github:|^)([\w.-]+\/[\w.-]+?)(?:\.git)?(?:[#/].*)?$/.exec(url) ?? [];
  return path;
}

/** What an earlier table says. */
function readTold(text: string): ReadonlyMap<string, Told> {
  const rows = [...text.matchAll(/^\| `([^`]+)` +\|(.*)\|$/gm)];
  return new Map(
    rows.map(([, name = '', cells = '']) => {
      const [, , , maintainers = '', lastRelease = ''] = cells.split('|').map((cell) => cell.trim());
      return [name, { maintainers, lastRelease }];
    }),
  );
}

async function ask(name: string): Promise<Told> {
  let output: string;
  try {
    // The times of all versions of a package may take a megabyte.
    const options = { cwd: root, timeout: 60_000, maxBuffer: 32 * 1024 * 1024 };
    ({ stdout: output } = await promisify(execFile)('npm', ['view', name, '--json'], options));
  } catch {
    say(`${name}: the registry does not tell`);
    return { maintainers: 'not told', lastRelease: 'not told' };
  }
  const { maintainers, time } = JSON.parse(output) as { maintainers?: string[]; time?: Record<string, string> };
  const releases = Object.entries(time ?? {}).flatMap(([version, at]) =>
    version === 'created' || version === 'modified' ? [] : [at.slice(0, 10)],
  );
  return { maintainers: String(maintainers?.length ?? 'not told'), lastRelease: releases.sort().at(-1) ?? 'not told' };
}

await review(process.argv.slice(2));
