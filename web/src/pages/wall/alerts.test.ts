import { expect, test } from 'vitest';

import { inUnit } from './alerts';

test('times, shares and counts are told as such', () => {
  expect([inUnit('longest', 75), inUnit('service_level', 7_250), inUnit('waiting', 12), inUnit('nobody_ready', 0)]).toEqual(['1:15', expect.stringMatching(/^7[23]/), '12', '0']);
});
