// What is a topic called where nobody may read the city's tree? What its path says, in words. Pure.

export const spoken = (path: string): string => path.split('/').map((step) => step.replaceAll('-', ' ')).join(' › ');
