// Who can be tried in a demo city?
import type { Shape } from '../api/client';

export type Account = Shape<'DemoAccount'>;
