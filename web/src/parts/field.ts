// What is a control of a `Field` given, to be spread over it?

export interface Given {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': 'true' | undefined;
}
