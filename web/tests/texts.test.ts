// Do the four languages say the same things, each once, and is each of them used?
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { FluentBundle, FluentResource } from '@fluent/bundle';
import { parse, type Message, type PatternElement } from '@fluent/syntax';
import { describe, expect, test } from 'vitest';

const SOURCE = join(import.meta.dirname, '../src');
const LANGUAGES = ['en', 'kk', 'ru', 'uk'] as const;
/** Words that are the same in these languages by their nature. */
const MAY_REPEAT = /^(span|theme|key|unit|role|agent)-/;

const text = (language: string) => readFileSync(join(SOURCE, 'texts', `${language}.ftl`), 'utf8');
const messages = (language: string) => parse(text(language), {}).body.filter((entry) => entry.type === 'Message') as Message[];
const ids = (language: string) => messages(language).map(({ id }) => id.name);

/** Which variables a text wants. */
function variables(elements: PatternElement[]): string[] {
  return [...JSON.stringify(elements).matchAll(/"VariableReference","id":\{"type":"Identifier","name":"([^"]+)"|"type":"VariableReference"[^}]*"name":"([^"]+)"/g)].map((found) => found[1] ?? found[2] ?? '');
}

describe.each(LANGUAGES)('%s', (language) => {
  test('is read without a fault', () => {
    expect(parse(text(language), {}).body.filter((entry) => entry.type === 'Junk').map((entry) => text(language).slice(entry.span?.start, entry.span?.end))).toEqual([]);
    expect(new FluentBundle(language).addResource(new FluentResource(text(language)))).toEqual([]);
  });

  test('has every text once', () => {
    const all = ids(language);
    expect(all.filter((id, at) => all.indexOf(id) !== at)).toEqual([]);
    expect([...all].sort()).toEqual([...ids('en')].sort());
  });

  test('wants the same variables', () => {
    const wanted = new Map(messages('en').map((message) => [message.id.name, new Set(variables(message.value?.elements ?? []))]));
    const other = messages(language).filter((message) => {
      const told = new Set(variables(message.value?.elements ?? []));
      return ![...told].every((name) => wanted.get(message.id.name)?.has(name)) || told.size !== wanted.get(message.id.name)?.size;
    });
    expect(other.map(({ id }) => id.name)).toEqual([]);
  });

  test.skipIf(language === 'en')('is not English', () => {
    const english = new Map(messages('en').map(({ id, value }) => [id.name, JSON.stringify(value?.elements.map((part) => 'value' in part ? part.value : ''))]));
    const copied = messages(language).filter(({ id, value }) => {
      const said = JSON.stringify(value?.elements.map((part) => 'value' in part ? part.value : ''));
      return said === english.get(id.name) && /[a-z]{4}/i.test(said) && !MAY_REPEAT.test(id.name);
    });
    expect(copied.map(({ id }) => id.name)).toEqual([]);
  });
});

/** Ids that the sources name: t('id'), title: 'id', and the beginnings of those that are put together, t(`agent-${state}`). */
function named() {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(svelte|ts)$/.test(name) && !name.includes('schema.d.ts'));
  const source = files.map((name) => readFileSync(join(SOURCE, name), 'utf8')).join('\n');
  return { source, whole: new Set([...source.matchAll(/['"`]([a-z][a-z0-9_-]*)['"`]/g)].map((found) => found[1] ?? '')),
    begun: [...source.matchAll(/`([a-z][a-z0-9_-]*-)\$\{/g)].map((found) => found[1] ?? '') };
}

test('every text is used', () => {
  const { whole, begun } = named();
  expect(ids('en').filter((id) => !whole.has(id) && !begun.some((start) => id.startsWith(start)))).toEqual([]);
});

test('every id that is named has a text', () => {
  const known = new Set(ids('en'));
  const { source } = named();
  const asked = [...source.matchAll(/\b(?:t|texts\.say)\('([^']+)'/g)].map((found) => found[1] ?? '');
  expect(asked.filter((id) => !known.has(id))).toEqual([]);
});
