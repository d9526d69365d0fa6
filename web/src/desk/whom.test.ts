import { expect, test } from 'vitest';

import { whomOf, type Target } from './whom';

const KNOWN: Target[] = [{ kind: 'operator', name: 'nina', state: 'ready' }, { kind: 'queue', name: 'roads', waiting: 0 }];

test('names of the board, numbers by their looks, the rest a service', () => {
  expect(whomOf(' nina ', KNOWN)).toEqual({ operator: 'nina' });
  expect(whomOf('roads', KNOWN)).toEqual({ queue: 'roads' });
  expect(whomOf('+7 (701) 000-00-12', KNOWN)).toEqual({ number: '+77010000012' });
  expect(whomOf('112', KNOWN)).toEqual({ number: '112' });
  expect(whomOf('ambulance', KNOWN)).toEqual({ service: 'ambulance' });
  expect(whomOf('  ', KNOWN)).toBeNull();
  expect(whomOf('ambulance', [])).toBeNull();
});
