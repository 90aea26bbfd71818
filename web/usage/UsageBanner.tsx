import { useTranslation } from 'react-i18next';
import { BuyButton } from './BuyButton.tsx';
import { useFigures } from './figures.ts';
import { LEVEL_LOOK } from './level-look.ts';
import { useUsage } from './use-usage.ts';

/**
 * The banner above the composer from 90 % on: orange, then red, and at the end why nothing can be sent, until when, and
 * how to go on.
 */
export function UsageBanner() {
  const { t } = useTranslation('usage');
  const { tokens, moment, until } = useFigures();
  const { data: usage } = useUsage();
  if (usage === undefined || usage.level === 'NORMAL' || usage.level === 'NOTICE') return null;
  const { icon: Icon, ink, tint } = LEVEL_LOOK[usage.level];
  const figures = {
    remaining: tokens(usage.remainingTokens),
    count: usage.estimatedTurns,
    at: moment(usage.resetsAt),
    until: until(usage.resetsAt),
  };
  return (
    <div
      role={usage.level === 'WARNING' ? 'status' : 'alert'}
      data-testid="usage-banner"
      data-level={usage.level}
      className={`flex flex-wrap items-center gap-x-3 gap-y-2 rounded-xl px-4 py-3 text-sm ${tint} ${ink}`}
    >
      <Icon aria-hidden className="size-5 shrink-0" />
      <p className="min-w-48 flex-1">
        <b className="font-semibold">{t(`banner.${usage.level}.title`, figures)}</b>{' '}
        {t(`banner.${usage.level}.text`, figures)}
      </p>
      <BuyButton url={usage.purchaseUrl} />
    </div>
  );
}
