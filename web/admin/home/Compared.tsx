import { useTranslation } from 'react-i18next';
import { changeOf } from './range.ts';

/** A figure, and below it what it was in the range before and by how much it has changed. */
export function Compared({ now, before, write }: { now: number; before: number; write: (value: number) => string }) {
  return (
    <span className="block">
      {write(now)}
      <Before now={now} before={before} written={write(before)} />
    </span>
  );
}

/** @param written the figure before, as people read it. */
export function Before({ now, before, written }: { now: number; before: number; written: string }) {
  const { t } = useTranslation('admin-home');
  const change = changeOf(now, before);
  return (
    <span className="block text-xs font-normal whitespace-nowrap text-faint">
      {change === null
        ? t('beforeNone')
        : t('before', { before: written, change: `${change > 0 ? '+' : ''}${change.toLocaleString()}%` })}
    </span>
  );
}
