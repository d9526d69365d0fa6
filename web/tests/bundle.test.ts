// How much program does the first screen load, and is there anything in dist/ that should not be? Wants `npm run build` before it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

const DIST = join(import.meta.dirname, '../dist');
/** JavaScript of the first screen, compressed, in bytes. */
const MOST = 80 * 1024;
/** Addresses that name a thing and are never asked: namespaces of XML, and where Svelte explains its errors. */
const NAMES_ALONE = /https?:\/\/(www\.w3\.org|svelte\.dev)\//g;

interface Chunk { file: string; imports?: string[] }
const manifest = JSON.parse(readFileSync(join(DIST, '.vite/manifest.json'), 'utf8')) as Record<string, Chunk>;
const programs = readdirSync(join(DIST, 'assets')).filter((name) => name.endsWith('.js'));
const read = (name: string) => readFileSync(join(DIST, name), 'utf8');

/** A chunk with all that it cannot begin without. */
function whole(name: string, seen = new Set<string>()): Set<string> {
  const chunk = manifest[name];
  if (!chunk || seen.has(chunk.file)) return seen;
  seen.add(chunk.file);
  for (const other of chunk.imports ?? []) whole(other, seen);
  return seen;
}

const kilobytes = (files: Iterable<string>) => [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length, 0);

test.each([['the sign-in page', ['index.html']], ['the desk', ['index.html', 'src/pages/Desk.svelte', 'src/desk/Presence.svelte']]])('%s loads at most 80 KB', (name, entries) => {
  const files = entries.reduce((seen, entry) => whole(entry, seen), new Set<string>());
  const bytes = kilobytes(files);
  console.log(`${name}: ${(bytes / 1024).toFixed(1)} KB of JavaScript in ${files.size} files, gzip`);
  expect(bytes).toBeLessThanOrEqual(MOST);
});

test('no program asks another host, or makes a program of a text', () => {
  for (const name of programs) {
    const source = read(`assets/${name}`).replace(NAMES_ALONE, '');
    expect(source.match(/https?:\/\/[a-z0-9.-]+/i)?.[0], name).toBeUndefined();
    expect(/\beval\(|new Function\(/.test(source), name).toBe(false);
  }
  expect(read('index.html')).not.toMatch(/https?:|<style|style=|<script>/);
});

test('nobody from a demo or a test stands in the program', () => {
  for (const name of programs) {
    expect(read(`assets/${name}`).match(/demo-demo|\b(aigul|olena|daniyar|bogdan|saule)\b|lorem ipsum|fixture|109-20\d\d-\d{6}/i)?.[0], name).toBeUndefined();
  }
});
