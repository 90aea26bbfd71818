import { useEffect, useState, type ComponentProps } from 'react';
import { currentLocale } from '../i18n/language.ts';
import { named, zonesWith } from './zones.ts';

/** So many zones are named without a pause: each takes about 0.3 ms. */
const AT_ONCE = 40;

/** @param current the zone that stands now: it can be chosen at once, the others a moment later. */
export function ZoneSelect({ current, ...select }: { current: string } & ComponentProps<'select'>) {
  const locale = currentLocale();
  const [zones, setZones] = useState(() => [named(current, locale)]);
  useEffect(() => {
    const ids = zonesWith(current);
    const { compare } = new Intl.Collator(locale);
    const done: ReturnType<typeof named>[] = [];
    const step = () => {
      done.push(...ids.splice(0, AT_ONCE).map((id) => named(id, locale)));
      if (ids.length > 0) timer = setTimeout(step);
      else setZones(done.sort((a, b) => compare(a.label, b.label)));
    };
    let timer = setTimeout(step);
    return () => clearTimeout(timer);
  }, [current, locale]);
  return (
    <select {...select}>
      {zones.map(({ id, label }) => (
        <option key={id} value={id}>
          {label}
        </option>
      ))}
    </select>
  );
}
