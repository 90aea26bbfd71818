import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../platform/config/config.ts';
import type { Manifest } from './render.ts';
import { EVERY_SECRET, type Values } from './sets.ts';

const root = join(import.meta.dirname, '..', '..');

/** What the chart needs in the Secret `turnkeeper` when nobody names more. */
const LEAST = { TEMPORAL_ADDRESS: 'temporal:7233' };

/** @returns what is wrong with manifests that are each right by themselves, one sentence each. */
export function findWrong(manifests: readonly Manifest[], values: Values): string[] {
  const of = (kind: string) => manifests.filter((manifest) => manifest.kind === kind);
  const deployments = of('Deployment');
  const roles = values.split === true ? ['api', 'worker'] : ['all'];
  return [
    ...differ('the roles', deployments.map(componentOf), roles),
    ...deployments.flatMap((deployment) => wrongRole(deployment, values)),
    ...of('Job').flatMap((job) => wrongJob(job, manifests)),
    ...[...deployments, ...of('Job')].flatMap(wrongRights),
    ...wrongSelectors(manifests),
    ...wrongScaling(manifests),
  ];
}

function wrongRole(deployment: Manifest, values: Values): string[] {
  const role = componentOf(deployment);
  const { spec } = deployment.spec.template;
  const [container] = spec.containers;
  const environment = environmentOf(container);
  const wanted = { ...values.config, ...values.secrets };
  const missing = Object.keys(wanted).filter(
    (name) => !(name in environment) && !(role === 'api' && name === 'OPENAI_API_KEY'),
  );
  const found = missing.map((name) => `${role} is not given ${name}`);
  for (const [name, value] of Object.entries(values.config ?? {}))
    if (environment[name] !== String(value)) found.push(`${role} is given ${environment[name]} as ${name}`);
  try {
    const config = readConfig({ ...LEAST, ...environment });
    found.push(...differ(`the configuration of ${role}`, [config.role, config.http.port], [role, 3_000]));
    const least = Number(container.lifecycle.preStop.exec.command[1]) + config.worker.shutdownGraceSeconds + 15;
    if (spec.terminationGracePeriodSeconds < least)
      found.push(`${role} is killed after ${spec.terminationGracePeriodSeconds} s, and may need ${least}`);
  } catch (error) {
    found.push(`${role} does not start: ${String(error)}`);
  }
  if (role !== 'worker' && container.readinessProbe.httpGet.path !== '/health/ready')
    found.push(`${role} is not asked whether it is ready`);
  return found;
}

/** It runs before anything else of the release is there. */
function wrongJob(job: Manifest, manifests: readonly Manifest[]): string[] {
  const { spec } = job.spec.template;
  const [container] = spec.containers;
  const own = manifests.filter(({ kind }) => /^(ConfigMap|Secret|ServiceAccount)$/.test(kind));
  const uses = JSON.stringify(spec);
  return [
    ...differ('the hook', job.metadata.annotations?.['helm.sh/hook'], 'pre-install,pre-upgrade'),
    ...differ('what migrates', container.command, ['node', 'cli/main.ts', 'migrate']),
    ...(existsSync(join(root, 'cli/main.ts')) ? [] : ['there is no cli/main.ts']),
    ...own
      .filter(({ metadata: { name } }) => uses.includes(`"${name}"`))
      .map(({ kind }) => `the hook uses a ${kind} that comes later`),
  ];
}

function wrongRights({ kind, metadata: { name }, spec }: Manifest): string[] {
  const pod = spec.template.spec;
  return [
    ...differ(
      `${kind} ${name}: as whom it runs`,
      [pod.securityContext.runAsNonRoot, pod.securityContext.runAsUser],
      [true, 1000],
    ),
    ...differ(`${kind} ${name}: its token`, pod.automountServiceAccountToken, false),
    ...pod.containers.flatMap(({ securityContext, resources }: any) => [
      ...differ(`${kind} ${name}: its rights`, securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      }),
      ...(resources.limits?.memory === undefined ? [`${kind} ${name}: its memory has no bound`] : []),
    ]),
  ];
}

/** What selects pods finds some: a Service, a budget, a policy; and a monitor finds a Service. */
function wrongSelectors(manifests: readonly Manifest[]): string[] {
  const pods = manifests.filter(({ kind }) => kind === 'Deployment').map(({ spec }) => spec.template.metadata.labels);
  const services = manifests.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.labels ?? {});
  return manifests.flatMap(({ kind, metadata: { name }, spec }) => {
    const wanted = SELECTORS[kind]?.(spec);
    if (wanted === undefined) return [];
    const among = kind === 'ServiceMonitor' ? services : pods;
    const found = among.filter((labels) => Object.entries(wanted).every(([label, value]) => labels[label] === value));
    return found.length === 0 ? [`${kind} ${name} selects nothing`] : [];
  });
}

const SELECTORS: Readonly<Record<string, (spec: any) => Readonly<Record<string, string>>>> = {
  Deployment: (spec) => spec.selector.matchLabels,
  Service: (spec) => spec.selector,
  PodDisruptionBudget: (spec) => spec.selector.matchLabels,
  NetworkPolicy: (spec) => spec.podSelector.matchLabels,
  ServiceMonitor: (spec) => spec.selector.matchLabels,
};

/** Who is scaled has no number of its own, or each upgrade would set it back. */
function wrongScaling(manifests: readonly Manifest[]): string[] {
  const scaled = manifests
    .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
    .map(({ spec }): string => spec.scaleTargetRef.name);
  return manifests
    .filter(({ kind }) => kind === 'Deployment')
    .filter(({ metadata: { name }, spec }) => scaled.includes(name) === (spec.replicas !== undefined))
    .map(({ metadata: { name } }) => `${name} has both or none of a number and a scaler`);
}

function environmentOf(container: any): Record<string, string> {
  const entries = container.env.map(({ name, value }: { name: string; value?: string }) => [
    name,
    value ?? EVERY_SECRET[name] ?? 'of a secret',
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function componentOf({ metadata: { labels } }: Manifest): string {
  return labels?.['app.kubernetes.io/component'] ?? 'none';
}

function differ(what: string, found: unknown, wanted: unknown): string[] {
  const [is, shall] = [JSON.stringify(found), JSON.stringify(wanted)];
  return is === shall ? [] : [`${what}: ${is}, and not ${shall}`];
}
