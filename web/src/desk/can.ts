// Which wishes does the server know? Read from its own document when the desk is built: no button without something behind it.

declare const __WISHES__: readonly string[];

export const can = (wish: string): boolean => __WISHES__.includes(wish);
