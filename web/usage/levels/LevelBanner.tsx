import { useTranslation } from 'react-i18next';
import { BuyButton } from '../BuyButton.tsx';
import { useFigures } from '../figures.ts';
import { useLeft } from '../use-left.ts';
import type { Usage } from '../use-usage.ts';
import { LEVEL_LOOK } from './level-look.ts';

/**
 * The banner above the composer from 90 % on: orange, then red, and at the end why nothing can be sent, until when, and
 * how to go on. A suspended account has its own, without an offer.
 */
export function LevelBanner({ usage }: { usage: Usage }) {
  const { t } = useTranslation('banner');
  const { tokens, moment, until } = useFigures();
  const left = useLeft();
  const { suspended, level } = usage;
  if (!suspended && (level === 'NORMAL' || level === 'NOTICE')) return null;
  const { icon: Icon, ink, tint } = LEVEL_LOOK[suspended ? 'BLOCKED' : level];
  const figures = {
    remaining: tokens(usage.remainingTokens),
    left: left(usage),
    at: moment(usage.resetsAt),
    until: until(usage.resetsAt),
  };
  const key = suspended ? 'suspended' : (level as 'WARNING' | 'CRITICAL' | 'BLOCKED');
  return (
    <div
      role={key === 'WARNING' ? 'status' : 'alert'}
      data-testid="usage-banner"
      data-level={level}
      className={`flex flex-wrap items-center gap-x-3 gap-y-2 rounded-xl px-4 py-3 text-sm ${tint} ${ink}`}
    >
      <div className="flex min-w-48 flex-1 items-start gap-3 sm:items-center">
        <Icon aria-hidden className="mt-px size-5 shrink-0 sm:mt-0" />
        <p className="min-w-0">
          <b className="font-semibold">{t(`${key}.title`, figures)}</b> {t(`${key}.text`, figures)}
        </p>
      </div>
      {!suspended && <BuyButton url={usage.purchaseUrl} place="banner" className="h-9 w-full sm:h-8 sm:w-auto" />}
    </div>
  );
}
