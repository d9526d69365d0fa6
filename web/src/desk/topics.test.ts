import { expect, test } from 'vitest';

import { pathOf, search, type Topic } from './topics';

const topic = (id: string, en: string, ru: string) => ({ id, names: { en, ru }, attributes: [] }) as unknown as Topic;
const TOPICS = [topic('heat', 'Heating', 'Отопление'), topic('heat/none', 'No heating in the flat', 'Нет отопления в квартире'), topic('heat/leak', 'A pipe leaks', 'Течёт труба'), topic('road', 'Roads', 'Дороги')];

test('finds by any word, in any language, with е for ё', () => {
  expect(search('теч', TOPICS, 'en').map(({ path }) => path)).toEqual(['Heating › A pipe leaks']);
  expect(search('течет', TOPICS, 'en')[0]?.topic.id).toBe('heat/leak');
  expect(search('отоп', TOPICS, 'ru').map(({ topic: { id } }) => id)).toEqual(['heat', 'heat/none', 'heat/leak']);
  expect(search('heat flat', TOPICS, 'ru').map(({ path }) => path)).toEqual(['Отопление › Нет отопления в квартире']);
  expect(search('moon', TOPICS, 'en')).toEqual([]);
});

test('everything is offered before a word is typed, branches marked', () => {
  expect(search('', TOPICS, 'en').map(({ branch }) => branch)).toEqual([true, false, false, false]);
});

test('a topic that is not in the tree goes by its id', () => {
  expect(pathOf('moon/dust', TOPICS, 'en')).toBe('moon/dust');
});
