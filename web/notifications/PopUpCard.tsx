import { X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { isComposingKey } from '../ui/keys/composing-key.ts';
import { BuyButton } from '../usage/BuyButton.tsx';
import { LEVEL_LOOK } from '../usage/levels/level-look.ts';
import { bodyOf } from './body.ts';
import { useMarkRead, type Notification } from './use-notifications.ts';

/** It leaves by itself after so long, but not while the pointer or the focus is on it. */
const STAYS_MS = 15_000;

/**
 * One notification, until it is read or put away. Where the page is low, above a keyboard for example, it is its title
 * over the top bar; the bell has the rest.
 */
export function PopUpCard({ shown, onAway }: { shown: Notification; onAway: () => void }) {
  const { t } = useTranslation();
  const mark = useMarkRead();
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(onAway, STAYS_MS);
    return () => clearTimeout(timer);
  }, [held, onAway]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // Whoever types or has something else open means that by Escape.
      if (event.key === 'Escape' && !event.defaultPrevented && !isComposingKey(event)) onAway();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [onAway]);
  const { icon: Icon, ink } = LEVEL_LOOK[shown.level];
  return (
    <article
      data-testid="pop-up"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className="pointer-events-auto flex w-full max-w-sm animate-rise gap-3 rounded-xl border border-line bg-raised p-4 text-sm shadow-float low:items-center low:py-1.5"
    >
      <Icon aria-hidden className={`mt-0.5 size-5 shrink-0 low:mt-0 ${ink}`} />
      <div className="grid min-w-0 flex-1 gap-2">
        <h2 className="font-semibold low:leading-snug">{shown.title}</h2>
        <p className="whitespace-pre-line text-soft low:hidden">{bodyOf(shown)}</p>
        <div className="flex flex-wrap gap-2 low:hidden">
          <BuyButton url={shown.purchaseUrl} place="pop-up" onGo={onAway} />
          <Button
            look="bare"
            size="small"
            className="-ml-3"
            onClick={() => {
              mark.mutate(shown.id);
              onAway();
            }}
          >
            {t('bell.read')}
          </Button>
        </div>
      </div>
      <Button look="bare" size="icon" className="-mt-2 -mr-2 low:mt-0" aria-label={t('dismiss')} onClick={onAway}>
        <X aria-hidden className="size-4" />
      </Button>
    </article>
  );
}
