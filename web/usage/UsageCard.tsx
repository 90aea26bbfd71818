import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Loading } from '../ui/Loading.tsx';
import { Problem } from '../ui/Problem.tsx';
import { BuyButton } from './BuyButton.tsx';
import { useFigures } from './figures.ts';
import { LevelLabel } from './levels/LevelLabel.tsx';
import { Meter } from './Meter.tsx';
import { useLeft } from './use-left.ts';
import { useUsage, type Usage } from './use-usage.ts';

/**
 * AIUsageCard: the tokens that are left this month, and what to do about it.
 * @param onLeave called when another page is chosen here.
 */
export function UsageCard({ onLeave }: { onLeave: () => void }) {
  const { t } = useTranslation('usage');
  return (
    <UsageFrame label={t('card')} className="p-4">
      {(usage) => <Compact usage={usage} onLeave={onLeave} />}
    </UsageFrame>
  );
}

/** A card of what the account has used, once that is known. */
export function UsageFrame({
  label,
  className,
  children,
}: {
  label: string;
  className: string;
  children: (usage: Usage) => ReactNode;
}) {
  const usage = useUsage();
  return (
    <section
      aria-label={label}
      data-testid="usage-card"
      data-level={usage.data?.level}
      className={`rounded-xl border border-line bg-raised ${className}`}
    >
      {usage.isPending && <Loading className="p-4" />}
      {usage.isError && <Problem error={usage.error} onRetry={() => void usage.refetch()} />}
      {usage.isSuccess && children(usage.data)}
    </section>
  );
}

function Compact({ usage, onLeave }: { usage: Usage; onLeave: () => void }) {
  const { t } = useTranslation('usage');
  const { tokens, moment } = useFigures();
  const left = useLeft();
  return (
    <div className="grid gap-2.5">
      <div className="flex items-center justify-between gap-2">
        <LevelLabel usage={usage} />
        <Link href="/usage" onClick={onLeave} className="-m-1 rounded p-1 text-xs text-faint hover:text-ink">
          {t('details')}
        </Link>
      </div>
      {/* The dot stands between both on one line; on a line of its own the second one hides it. */}
      <div className="overflow-hidden text-sm leading-snug">
        <p className="-ml-3">
          <b className="inline-block pl-3 font-semibold">{left(usage)}</b>
          <span className="relative inline-block pl-3 text-faint">
            <span className="absolute left-1"> · </span>
            {t('resetsShort', { at: moment(usage.resetsAt) })}
          </span>
        </p>
      </div>
      <Meter usage={usage} label={t('meter')} />
      <p className="flex flex-wrap justify-between gap-x-2 text-xs text-faint tabular-nums">
        <span>{t('leftOf', { tokens: tokens(usage.remainingTokens) })}</span>
        <span>{t('ofTotal', { total: tokens(usage.totalAvailable) })}</span>
      </p>
      {usage.level !== 'NORMAL' && !usage.suspended && (
        <BuyButton url={usage.purchaseUrl} place="card" onGo={onLeave} />
      )}
    </div>
  );
}
