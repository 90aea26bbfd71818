import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  resolve: {
    alias: {
      // The package's build for browsers reads entities by writing HTML, which the page's policy forbids; the other one
      // makes the script 12 KB larger.
      'decode-named-character-reference': join(import.meta.dirname, 'markdown', 'entities.ts'),
      // React has had it itself since version 18.
      'use-sync-external-store/shim/index.js': 'react',
    },
  },
  plugins: [react(), tailwindcss(), preloaded(), compressed()],
  build: {
    target: 'baseline-widely-available',
    // Fonts and pictures stay files, because the page's policy loads them from here only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What every page needs is one file: the last of twenty small ones would begin to load only when the first have
    // arrived.
    rolldownOptions: {
      output: {
        // Each name stands in several files, and a hash does not compress.
        chunkFileNames: 'assets/[name]-[hash:7].js',
        codeSplitting: {
          groups: [
            { name: 'begin', test: /\/web\/(begin|session\/(early|demo))\.ts$|vite\/preload-helper/, priority: 2 },
            { name: 'app', test: /\/web\/main\.tsx$/, priority: 1 },
          ],
        },
      },
    },
  },
  // The frame that draws diagrams is built like a worker: a script by itself, whose parts load when they are needed.
  worker: { format: 'es' },
  server: {
    // The API listens where scripts/web-dev.ts says; its streams are passed on as they come.
    proxy: { '^/(api|health)(/|$)': { target: process.env['TURNKEEPER_API'] ?? 'http://127.0.0.1:3000' } },
  },
});

/** Preloads the app's script with the page, instead of when the first script asks for it. */
function preloaded(): Plugin {
  return {
    name: 'preloaded',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (_page, { bundle = {} }) =>
        Object.values(bundle)
          .filter(({ fileName }) => /\/(app|rolldown-runtime)-[^/]+\.js$/.test(fileName))
          .map(({ fileName }) => ({
            tag: 'link',
            attrs: { rel: 'modulepreload', crossorigin: true, href: `/${fileName}` },
            injectTo: 'head' as const,
          })),
    },
  };
}

/** Writes compressed versions beside each text file, once here instead of at each request. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    async writeBundle({ dir = '' }) {
      for (const name of await readdir(join(dir, 'assets'))) {
        if (!/\.(js|css|svg|json)$/.test(name)) continue;
        const file = join(dir, 'assets', name);
        const content = await readFile(file);
        await writeFile(
          `${file}.br`,
          await promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
        );
        await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
      }
    },
  };
}
