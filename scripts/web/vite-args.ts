/** How Node builds the web app into a folder, from the project's root. */
export function viteArgs(folder: string): string[] {
  return [
    'node_modules/vite/bin/vite.js',
    'build',
    '--config',
    'web/vite.config.ts',
    '--outDir',
    folder,
    '--emptyOutDir',
    '--logLevel',
    'warn',
  ];
}
