// What would somebody stumble over who does not see, or sees differently? axe-core, by the rules of WCAG 2.2 A and AA.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { Page } from 'playwright-core';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

interface Found {
  violations: { id: string; help: string; nodes: { target: string[]; failureSummary: string }[] }[];
}

/** One line a fault. */
export async function stumbles(page: Page): Promise<string[]> {
  await page.evaluate(SOURCE);
  const found = (await page.evaluate(`axe.run({ runOnly: ${JSON.stringify(RULES)} })`)) as Found;
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary.replaceAll('\n', ' ').slice(0, 240)}`));
}
