// What do the parts of a case's page read of it?
import type { Shape } from '../../api/client';

export type Story = Shape<'CaseView'> & {
  case: Pick<Shape<'Case'>, 'control_calls' | 'incidents'>;
};
