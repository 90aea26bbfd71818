/** When a schedule of a person fires, as far as it is one of ours; null for one that was changed by hand. */
export type Timing =
  | { readonly every: 'month'; readonly day: number; readonly time: string; readonly zone: string }
  | { readonly every: 'hour'; readonly minute: number; readonly second: number; readonly until: string };

export function timingOf(text: string): Timing | null {
  const [, day, time, zone] = /^monthly on day (\d+) at (\d\d:\d\d) (\S+)$/.exec(text) ?? [];
  if (day !== undefined && time !== undefined && zone !== undefined)
    return { every: 'month', day: Number(day), time, zone };
  const [, at, until] = /^hourly at \+(\d+) s until (\S+)$/.exec(text) ?? [];
  if (at === undefined || until === undefined) return null;
  return { every: 'hour', minute: Math.floor(Number(at) / 60), second: Number(at) % 60, until };
}
