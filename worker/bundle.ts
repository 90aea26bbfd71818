import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { FAILURE_CONVERTER } from '../platform/temporal/codec.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules', '.cache', 'turnkeeper');

/**
 * The SDK takes a stack trace of every promise of a workflow, in case somebody asks for its call stack: 1.2 of the 8 ms
 * that the workflow thread works on a turn. The sandbox freezes its globals once this has run.
 */
const WITHOUT_STACKS = 'Error.stackTraceLimit = 0; ';

/** V8 keeps a text with one of these in two bytes a character. Comments of packages have some. */
const WIDE = /[^\x00-\xff]/g;

/** How a bundle's source map begins, which the SDK wants at its end. */
const MAP_COMMENT = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,';

/**
 * The workflows as one script. Bundling takes 2 to 4 s on 2 cores, so the result is cached under a hash of its sources.
 * Where the cache cannot be written, each start bundles anew.
 * @param options.stacks whether errors of workflow code say where they were thrown.
 * @param options.encodesFailures whether messages of failures are made into payloads, for a codec to encrypt.
 */
export async function bundleWorkflows({ stacks = true, encodesFailures = false } = {}): Promise<{ code: string }> {
  const code = await bundle(encodesFailures);
  return { code: stacks ? code : WITHOUT_STACKS + withoutMap(code) };
}

async function bundle(encodesFailures: boolean): Promise<string> {
  const kind = encodesFailures ? 'encoded-' : '';
  const file = join(cache, `workflows-${kind}${await hashWorkflows(import.meta.filename)}.js`);
  const kept = await readFile(file, 'utf8').catch(() => null);
  if (kept !== null) return kept;
  const workflows = join(root, 'workflows', 'index.ts');
  const carrier = join(root, 'workflows', 'trace-carrier.ts');
  const { code } = await bundleWorkflowCode({
    workflowsPath: workflows,
    workflowInterceptorModules: [carrier],
    // Evaluated once a thread instead of once a run. They keep nothing of a run in their variables.
    preloadModules: [workflows, carrier],
    ...(encodesFailures ? { failureConverterPath: FAILURE_CONVERTER } : {}),
    logger: new DefaultLogger('WARN'),
    // Stack traces keep the lines of the sources without the sources themselves, which are half of a text that each
    // thread holds several times.
    webpackConfigHook: (config) => ({ ...config, devtool: 'inline-nosources-source-map' }),
  });
  const narrow = code.replaceAll(WIDE, (wide) => `\\u${wide.charCodeAt(0).toString(16).padStart(4, '0')}`);
  await keep(file, narrow).catch(() => {});
  return narrow;
}

/** Without stack traces nobody looks into the source map, which is a third of what each thread holds. */
function withoutMap(code: string): string {
  const at = code.lastIndexOf(MAP_COMMENT);
  if (at < 0) throw new Error('the bundle has no source map');
  const { file } = JSON.parse(Buffer.from(code.slice(at + MAP_COMMENT.length), 'base64').toString()) as {
    file: string;
  };
  const empty = JSON.stringify({ version: 3, file, sources: [], names: [], mappings: '' });
  return code.slice(0, at) + MAP_COMMENT + Buffer.from(empty).toString('base64');
}

/** The file is written beside and renamed, so that two processes that start together never read half of it. */
async function keep(file: string, code: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const part = `${file}.${process.pid}`;
  await writeFile(part, code);
  await rename(part, file);
}

/**
 * The identity of the workflow code. It changes with every byte of that code, of the locked packages, and of `more`:
 * files that say how it is built. 16 hexadecimal digits.
 */
export async function hashWorkflows(...more: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(root, 'package-lock.json')).catch(() => ''));
  for (const file of more) hash.update(await readFile(file));
  for (const folder of ['domain', 'workflows']) {
    const names = await readdir(join(root, folder), { recursive: true });
    for (const name of names.filter((name) => name.endsWith('.ts')).sort())
      hash.update(name).update(await readFile(join(root, folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}
