// Which topic is meant? The tree as paths, found by what is typed in any of the languages.
import type { Shape } from '../api/client';

export type Topic = Shape<'Topic'>;
type Language = 'kk' | 'ru' | 'uk' | 'en';

export interface Found {
  topic: Topic;
  /** "Heating › No heating in the flat". */
  path: string;
  /** Topics below it: it can be chosen, but better one of them. */
  branch: boolean;
}

const names = (topic: Topic): Record<string, string> => topic.names as unknown as Record<string, string>;

export function nameOf(topic: Topic, language: Language): string {
  return names(topic)[language] ?? names(topic).ru ?? names(topic).en ?? topic.id;
}

/** The whole path of a topic, in a language; its id where it is not known. */
export function pathOf(id: string, topics: readonly Topic[], language: Language): string {
  const parts = id.split('/').map((_, at, all) => all.slice(0, at + 1).join('/'));
  const known = parts.map((part) => topics.find((topic) => topic.id === part)).filter((topic) => topic !== undefined);
  return known.length ? known.map((topic) => nameOf(topic, language)).join(' › ') : id;
}

/** Topics that have every typed word in their path, in any language: those whose own name begins with it first, then in the tree's order. */
export function search(text: string, topics: readonly Topic[], language: Language): Found[] {
  const words = plain(text).split(/\s+/).filter(Boolean);
  const found = topics.map((topic, order) => ({ topic, order, rank: rank(topic, topics, words) })).filter(({ rank }) => rank > 0);
  found.sort((one, other) => other.rank - one.rank || one.order - other.order);
  return found.map(({ topic }) => ({ topic, path: pathOf(topic.id, topics, language), branch: topics.some(({ id }) => id.startsWith(`${topic.id}/`)) }));
}

/** 0: does not fit. A topic at a leaf goes before its branch, one that begins so before one that has it inside. */
function rank(topic: Topic, topics: readonly Topic[], words: readonly string[]): number {
  const own = plain(Object.values(names(topic)).join(' '));
  const above = topics.filter(({ id }) => topic.id.startsWith(`${id}/`)).map((one) => plain(Object.values(names(one)).join(' '))).join(' ');
  const all = `${own} ${above} ${topic.id}`;
  if (!words.every((word) => all.includes(word))) return 0;
  const begins = words.filter((word) => own.split(' ').some((part) => part.startsWith(word))).length;
  return 1 + begins;
}

/** Lower case, ё as е, without signs: as people type. */
export const plain = (text: string): string => text.toLowerCase().replaceAll('ё', 'е').replace(/[’'`ʼ"«»().,]/g, '');
