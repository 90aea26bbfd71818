import { lazy, useCallback, useState } from 'react';
import { OnDemand } from '../ui/OnDemand.tsx';
import { LEVELS } from '../usage/levels/level-look.ts';
import { useUsage, type Level } from '../usage/use-usage.ts';
import { useNotifications } from './use-notifications.ts';

const PopUpCard = lazy(() => import('./PopUpCard.tsx').then(({ PopUpCard }) => ({ default: PopUpCard })));

/**
 * Shows the newest notification that came while the page was open, until it is read, put away, or no longer true.
 * Earlier ones are in the list.
 */
export function PopUp() {
  const { data } = useNotifications();
  const { data: usage } = useUsage();
  const newest = data?.items[0];
  const [seen, setSeen] = useState<number | null>(null);
  if (seen === null && data !== undefined) setSeen(newest?.id ?? 0);
  const isNew = newest !== undefined && seen !== null && newest.id > seen && newest.readAt === null;
  const shown = isNew && usage !== undefined && isTrue(newest.level, usage.level) ? newest : null;
  const putAway = useCallback(() => setSeen((id) => newest?.id ?? id), [newest?.id]);
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-3 top-16 z-40 flex justify-end sm:inset-x-5 low:top-1.5"
    >
      {shown !== null && (
        <OnDemand key={shown.id} closed={null} onClose={putAway}>
          <PopUpCard shown={shown} onAway={putAway} />
        </OnDemand>
      )}
    </div>
  );
}

/** Whether the account still is where the notification says. */
function isTrue(told: Level, now: Level): boolean {
  return LEVELS.indexOf(now) >= LEVELS.indexOf(told);
}
