import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { liveTurns } from '../../session/keep.ts';
import { useFigures } from '../../usage/figures.ts';
import { Meter } from '../../usage/Meter.tsx';
import { closedBy, useUsage } from '../../usage/use-usage.ts';
import type { LiveTurn } from '../turns/turn-state.ts';

/** The tokens that are left, shown where they are spent; while an answer streams, also about how many it uses. */
export function TokenMeter({ running }: { running: LiveTurn | null }) {
  const { t } = useTranslation('usage');
  const { tokens } = useFigures();
  const { data: usage } = useUsage();
  const turns = liveTurns();
  const soFar = useSyncExternalStore(turns.subscribe, () =>
    running === null ? 0 : Math.ceil(turns.get(running.turnId)?.tokens ?? 0),
  );
  if (usage === undefined) return null;
  const said =
    running !== null && soFar > 0
      ? t('soFar', { tokens: tokens(soFar) })
      : closedBy(usage) === null && t('leftShort', { n: tokens(usage.estimatedTurns) });
  return (
    <Link
      href="/usage"
      className="flex max-w-full shrink-0 items-center gap-2 rounded-lg px-2 py-1.5 text-xs pointer-coarse:min-h-11 text-faint hover:bg-hover hover:text-ink"
    >
      {/* On a phone there is room for the words or for the bar. */}
      <Meter
        usage={usage}
        label={t('meter')}
        className={`h-1.5 w-14 shrink-0 ${said === false ? '' : 'max-sm:hidden'}`}
      />
      <span className="truncate tabular-nums">{said}</span>
      <span className="sr-only">{t('title')}</span>
    </Link>
  );
}
