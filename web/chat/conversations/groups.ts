/** The headings of the list of conversations, newest first. */
export const GROUPS = ['today', 'yesterday', 'week', 'earlier'] as const;
export type Group = (typeof GROUPS)[number];

const DAY_MS = 86_400_000;

/** Puts conversations, newest activity first, under the days of the person's own zone. */
export function groupByDay<Item extends { readonly updatedAt: string }>(
  items: readonly Item[],
  { timeZone, now }: { timeZone: string; now: number },
): { group: Group; items: Item[] }[] {
  // Sweden writes a day as ISO 8601 does.
  const days = new Intl.DateTimeFormat('sv', { timeZone });
  const dayOf = (instant: number) => Date.parse(days.format(instant));
  const today = dayOf(now);
  const groups = new Map<Group, Item[]>();
  for (const item of items) {
    const ago = (today - dayOf(Date.parse(item.updatedAt))) / DAY_MS;
    const group = ago <= 0 ? 'today' : ago === 1 ? 'yesterday' : ago < 7 ? 'week' : 'earlier';
    groups.set(group, [...(groups.get(group) ?? []), item]);
  }
  return GROUPS.flatMap((group) => {
    const members = groups.get(group);
    return members === undefined ? [] : [{ group, items: members }];
  });
}
