import { X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { BuyButton } from '../usage/BuyButton.tsx';
import { LEVEL_LOOK } from '../usage/level-look.ts';
import { useMarkRead, useNotifications } from './use-notifications.ts';

/**
 * Shows the newest notification that came while the page was open, until it is read or dismissed. Earlier ones are in
 * the list.
 */
export function PopUp() {
  const { t } = useTranslation();
  const { data } = useNotifications();
  const mark = useMarkRead();
  const newest = data?.items[0];
  const [seen, setSeen] = useState<number | null>(null);
  if (seen === null && data !== undefined) setSeen(newest?.id ?? 0);
  const shown = newest !== undefined && seen !== null && newest.id > seen && newest.readAt === null ? newest : null;
  const { icon: Icon, ink } = LEVEL_LOOK[shown?.level ?? 'WARNING'];
  const putAway = () => {
    if (shown !== null) setSeen(shown.id);
  };
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-3 top-16 z-40 flex justify-end sm:inset-x-5"
    >
      {shown !== null && (
        <article
          data-testid="pop-up"
          className="pointer-events-auto flex w-full max-w-sm animate-rise gap-3 rounded-xl border border-line bg-raised p-4 text-sm shadow-float"
        >
          <Icon aria-hidden className={`mt-0.5 size-5 shrink-0 ${ink}`} />
          <div className="grid min-w-0 flex-1 gap-2">
            <h2 className="font-semibold">{shown.title}</h2>
            <p className="whitespace-pre-line text-soft">{shown.body}</p>
            <div className="flex gap-2">
              <BuyButton url={shown.purchaseUrl} />
              <Button
                look="bare"
                size="small"
                onClick={() => {
                  mark.mutate(shown.id);
                  putAway();
                }}
              >
                {t('bell.read')}
              </Button>
            </div>
          </div>
          <Button look="bare" size="icon" className="-mt-2 -mr-2" aria-label={t('dismiss')} onClick={putAway}>
            <X aria-hidden className="size-4" />
          </Button>
        </article>
      )}
    </div>
  );
}
