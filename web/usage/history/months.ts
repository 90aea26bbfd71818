/** A month by its label, `YYYY-MM`, and so many months before or after it. */
export function monthsFrom(label: string, months: number): string {
  const [year = 0, month = 1] = label.split('-').map(Number);
  const at = new Date(Date.UTC(year, month - 1 + months, 1));
  return `${at.getUTCFullYear()}-${String(at.getUTCMonth() + 1).padStart(2, '0')}`;
}

export function daysIn(label: string): number {
  const [year = 0, month = 1] = label.split('-').map(Number);
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** The top of an axis: the least of 1, 2 or 5 times a power of ten that is not below `most`. */
export function axisTop(most: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  return [1, 2, 5, 10].map((times) => times * power).find((top) => top >= most) ?? most;
}
