// Which lists of work does a role have?
import type { Role } from '../../api/client';

export const LISTS = ['control', 'callbacks', 'calls'] as const;
export type List = (typeof LISTS)[number];

export const listsOf = (role: Role | undefined): readonly List[] => (role === 'quality' ? ['control'] : LISTS);
