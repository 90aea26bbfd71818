import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), tailwindcss(), compressed()],
  build: {
    target: 'baseline-widely-available',
    // Fonts and pictures stay files: the page's policy loads them from here only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    // The API, wherever scripts/web-dev.ts says that it listens; its streams pass as they come.
    proxy: { '^/(api|health)(/|$)': { target: process.env['TURNKEEPER_API'] ?? 'http://127.0.0.1:3000' } },
  },
});

/** Beside each text file its compressed twins, made once here instead of at each request. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    async writeBundle({ dir = '' }) {
      for (const name of await readdir(join(dir, 'assets'))) {
        if (!/\.(js|css|svg|json)$/.test(name)) continue;
        const file = join(dir, 'assets', name);
        const content = await readFile(file);
        await writeFile(`${file}.br`, await promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
        await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
      }
    },
  };
}
