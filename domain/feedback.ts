/** What a person says of an answer. */
export const RATINGS = ['good', 'bad'] as const;
export type Rating = (typeof RATINGS)[number];
