import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/**
 * The parts of docker-compose.yml that the tests look at. A test first proves the file by the compose specification's
 * own schema.
 */
export interface Compose {
  readonly services: Record<string, Service>;
  readonly volumes: Record<string, unknown>;
  readonly networks: Record<string, { readonly internal?: boolean } | null>;
}

export interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly args: Readonly<Record<string, string>> };
  readonly command?: readonly string[];
  readonly restart?: string;
  readonly profiles?: readonly string[];
  readonly scale?: string;
  readonly environment?: Record<string, string>;
  readonly depends_on?: Record<string, { readonly condition: string }>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly user?: string;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly privileged?: boolean;
  readonly security_opt?: readonly string[];
  readonly pids_limit?: number;
  readonly mem_limit?: string;
  readonly networks?: readonly string[];
}

/** A `${NAME…}` of the compose file, which whoever starts it may or must set. */
export interface Variable {
  readonly name: string;
  /** `:?` must be set, `:-` has a default (perhaps an empty one). */
  readonly operator: string;
  readonly rest: string;
}

export function readProjectFile(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

export const source = readProjectFile('docker-compose.yml');
export const document: unknown = parse(source, { merge: true });
export const compose = document as Compose;

/** `$$` is a dollar sign of a shell inside a container. */
export const variables: readonly Variable[] = [
  ...source.replaceAll('$$', '').matchAll(/\$\{(\w+)(:[-?])?([^}]*)\}/g),
].map(([, name = '', operator = '', rest = '']) => ({ name, operator, rest }));

export function environmentOf(name: string): Record<string, string> {
  return compose.services[name]?.environment ?? {};
}
