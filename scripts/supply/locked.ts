/** The parts of package.json that are looked at. */
export interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** A package that package-lock.json locks. */
export interface Locked {
  /** Where it is installed: `node_modules/express`. */
  readonly path: string;
  readonly version: string;
  /** As its manifest says it, an SPDX expression; `none` when it says nothing. */
  readonly licence: string;
  readonly integrity: string | null;
}

/** @param text of package-lock.json. */
export function packagesOf(text: string): readonly Locked[] {
  const { packages } = JSON.parse(text) as {
    packages: Record<string, { version?: string; license?: string; integrity?: string }>;
  };
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .map(([path, { version = '', license = 'none', integrity = null }]) => ({
      path,
      version,
      licence: license,
      integrity,
    }));
}
