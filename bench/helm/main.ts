import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { SetupError } from '../../domain/setup-error.ts';
import { findHelm } from '../../scripts/services/helm.ts';
import { runToEnd } from '../../scripts/services/program.ts';
import { say } from '../../scripts/services/say.ts';
import { runBench } from '../program.ts';
import { installPython } from '../python.ts';
import { findWrong } from './judge.ts';
import { lint, render, type Manifest } from './render.ts';
import { REFUSED, SETS } from './sets.ts';

const HELP = `npm run test:helm

Renders deploy/helm with each of its sets of values, and holds what comes out against Kubernetes' own schemas (the oldest version that the chart names and
the newest at hand) and against what the program reads. Values that are mistakes must be refused, and a planted mistake must be found. The exit code is 1
when something is wrong, or when Helm or kubernetes-validate cannot be had: it needs \`helm\` or \`go\`, python3 with venv, and a registry of Python packages.`;

/** What the chart's kubeVersion begins with, and the newest. */
const VERSIONS = ['1.27.0', '1.37.0'];
/** The Prometheus operator's, whose schema is not Kubernetes' own. */
const OF_OTHERS = new Set(['ServiceMonitor']);

async function main(stopping: AbortSignal): Promise<void> {
  if (parseArgs({ options: { help: { type: 'boolean' } } }).values.help === true)
    return void process.stdout.write(`${HELP}\n`);
  const helm = await findHelm(stopping);
  const python = await installPython('kubernetes-validate', join(import.meta.dirname, 'requirements.txt'), stopping);
  const validate = (manifests: readonly Manifest[]) => findInvalid(join(python, 'kubernetes-validate'), manifests);
  const wrong: string[] = [];
  for (const [name, values] of Object.entries(SETS)) {
    await lint(helm, values);
    const manifests = await render(helm, values);
    const found = [...findWrong(manifests, values), ...(await validate(manifests))];
    say(`${name}: ${manifests.length} manifests, ${found.length === 0 ? 'right' : `${found.length} wrong`}`);
    wrong.push(...found.map((what) => `${name}: ${what}`));
  }
  for (const [name, values] of Object.entries(REFUSED)) {
    const isRefused = await render(helm, values).then(
      () => false,
      () => true,
    );
    if (!isRefused) wrong.push(`values with ${name} are not refused`);
  }
  wrong.push(...(await findBlind(helm, validate)));
  if (wrong.length > 0) throw new SetupError(`the chart is wrong:\n  ${wrong.join('\n  ')}`);
  say(`${Object.keys(REFUSED).length} sets with a mistake are refused; the chart is right`);
}

/** Mistakes that are put in on purpose, and not found. */
async function findBlind(
  helm: string,
  validate: (manifests: readonly Manifest[]) => Promise<string[]>,
): Promise<string[]> {
  const manifests = await render(helm, {});
  const planted = structuredClone(manifests) as Manifest[];
  const deployment = planted.find(({ kind }) => kind === 'Deployment');
  if (deployment === undefined) return ['there is no Deployment'];
  deployment.spec.template.spec.terminationGracePeriod = 1;
  if ((await validate(planted)).length === 0) return ['a field that Kubernetes does not know is not found'];
  delete deployment.spec.template.spec.terminationGracePeriodSeconds;
  deployment.spec.template.spec.terminationGracePeriodSeconds = 20;
  return findWrong(planted, {}).length === 0 ? ['a process that is killed too early is not found'] : [];
}

async function findInvalid(program: string, manifests: readonly Manifest[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'turnkeeper-manifests-'));
  try {
    const files = manifests
      .filter(({ kind }) => !OF_OTHERS.has(kind))
      .map((manifest) => {
        const file = join(folder, `${manifest.kind}-${manifest.metadata.name}.yaml`);
        writeFileSync(file, stringify(manifest));
        return file;
      });
    const found: string[] = [];
    for (const version of VERSIONS) {
      const { ok, output } = await runToEnd(program, ['--strict', '--no-warn', '-k', version, ...files], {
        withinMs: 120_000,
      });
      if (!ok) found.push(`Kubernetes ${version}: ${output.replaceAll(folder, '').trim()}`);
    }
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await runBench(main);
