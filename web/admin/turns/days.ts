const HOUR = 3_600_000;

/**
 * The first instant of a day in a time zone: midnight, or the end of a gap at midnight. A text that is no day is
 * returned as it is, so that the API refuses it and says why.
 * @param day `YYYY-MM-DD`.
 * @returns ISO 8601, UTC.
 */
export function startOfDay(day: string, timeZone: string): string {
  const wall = wallOf(day);
  if (wall === null) return day;
  // Offsets lie between -12 h and +14 h, and the local day only grows, so bisection finds the boundary.
  let [before, after] = [wall - 26 * HOUR, wall + 26 * HOUR];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (dayOf(middle, timeZone) >= day) after = middle;
    else before = middle;
  }
  return new Date(after).toISOString();
}

/** The calendar day that is `days` later. */
export function dayAfter(day: string, days = 1): string {
  const wall = wallOf(day);
  return wall === null ? day : new Date(wall + days * 24 * HOUR).toISOString().slice(0, 10);
}

function wallOf(day: string): number | null {
  const wall = Date.parse(`${day}T00:00:00.000Z`);
  return !/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(wall) ? null : wall;
}

/** The day of an instant (milliseconds) in a time zone, as `YYYY-MM-DD`. */
export function dayOf(at: number, timeZone: string): string {
  const parts = new Map(
    formatter(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  return `${parts.get('year')?.padStart(4, '0')}-${parts.get('month')}-${parts.get('day')}`;
}

let known: { readonly timeZone: string; readonly formatter: Intl.DateTimeFormat } | null = null;

function formatter(timeZone: string): Intl.DateTimeFormat {
  known =
    known?.timeZone === timeZone
      ? known
      : {
          timeZone,
          formatter: new Intl.DateTimeFormat('en-US', {
            timeZone,
            calendar: 'gregory',
            numberingSystem: 'latn',
            year: 'numeric',
            month: '2-digit',
            day: '2-digit',
          }),
        };
  return known.formatter;
}
