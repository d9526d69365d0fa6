// How is the desk built? Into dist/, with hashed names, compressed once here so that the server need not.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Where a server runs while pages are written: `cityline demo`. */
const SERVER = process.env.CITYLINE ?? 'http://127.0.0.1:8109';

/** Fonts are compressed already. */
const COMPRESSED = /\.(js|css|ftl|svg|html)$/;

/** Puts FILE.gz beside each file of dist/ that gets smaller by it. */
function gzip(): Plugin {
  let folder = '';
  return {
    name: 'gzip',
    apply: 'build',
    configResolved: (config) => { folder = join(config.root, config.build.outDir); },
    closeBundle: () => {
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (COMPRESSED.test(name)) writeFileSync(join(folder, `${name}.gz`), gzipSync(readFileSync(join(folder, name)), { level: 9 }));
      }
    },
  };
}

/** The types of messages that the server takes on the desk's socket, of its document. */
function wishes(): string[] {
  const document = JSON.parse(readFileSync(join(import.meta.dirname, '../openapi.json'), 'utf8')) as { components: { schemas: { FromPage?: unknown } } };
  return [...JSON.stringify(document.components.schemas.FromPage ?? {}).matchAll(/"type":\{"const":"(\w+)"|"type":\{[^{}]*"enum":\["(\w+)"\]/g)].map((found) => found[1] ?? found[2] ?? '');
}

export default defineConfig({
  define: { __WISHES__: JSON.stringify(wishes()) },
  plugins: [tailwindcss(), svelte(), gzip()],
  build: {
    // No data: addresses: texts and fonts are files, so that a language that nobody chose is not loaded.
    assetsInlineLimit: 0,
    manifest: true,
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    modulePreload: { polyfill: false },
    // What three pages share lies in one file: forty icons of 300 bytes would cost forty requests and not compress. What pages beside the desk
    // share is kept out of the first screen.
    rolldownOptions: { output: { codeSplitting: { groups: [
      { name: 'shared', test: /@lucide|node_modules|src\/(parts|texts|api)\/|src\/[a-z_.]+\.ts/, minShareCount: 3, priority: 2 },
      { name: 'pages', test: /src\/pages\/parts\//, minShareCount: 3 },
    ] } } },
  },
  server: {
    port: 5173,
    // The server wants to see its own origin: Host stays as the browser sent it.
    proxy: { '/api': { target: SERVER, changeOrigin: false }, '/desk': { target: SERVER, changeOrigin: false, ws: true } },
  },
  test: {
    projects: [
      { extends: true, test: { name: 'unit', include: ['src/**/*.test.ts', 'tests/texts.test.ts'], environment: 'node', setupFiles: ['tests/setup.ts'] }, resolve: { conditions: ['browser'] } },
      { extends: true, test: { name: 'screens', include: ['tests/screens/*.test.ts'], environment: 'node', testTimeout: 30_000, hookTimeout: 30_000, fileParallelism: false } },
      { extends: true, test: { name: 'bundle', include: ['tests/bundle.test.ts'], environment: 'node' } },
    ],
  },
});
