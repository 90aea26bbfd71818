/**
 * The classes of a table that is one on a screen, and on a phone a list of cards, with its columns named beside their
 * values (`data-title`). Its elements need their roles, which another `display` takes from them.
 */
export const STACKED = {
  table: 'max-sm:block',
  head: 'max-sm:sr-only',
  body: 'max-sm:block',
  row: 'max-sm:block max-sm:px-4 max-sm:py-3',
  cell: 'max-sm:flex max-sm:justify-between max-sm:gap-4 max-sm:px-0 max-sm:py-1 max-sm:before:shrink-0 max-sm:before:text-faint max-sm:before:content-[attr(data-title)] max-sm:has-[>div:empty]:hidden',
  /** What stands in a cell. */
  value: 'max-sm:min-w-0 max-sm:text-right',
} as const;
