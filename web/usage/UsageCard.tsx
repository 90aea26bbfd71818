import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Loading } from '../ui/Loading.tsx';
import { Problem } from '../ui/Problem.tsx';
import { BuyButton } from './BuyButton.tsx';
import { useFigures } from './figures.ts';
import { LEVEL_LOOK } from './level-look.ts';
import { Meter } from './Meter.tsx';
import { useLeft } from './use-left.ts';
import { useUsage, type Usage } from './use-usage.ts';

/**
 * AIUsageCard: the tokens that are left this month, and what to do about it.
 * @param detailed whether to show every figure, for the usage page.
 * @param onLeave called when another page is chosen here.
 */
export function UsageCard({ detailed = false, onLeave }: { detailed?: boolean; onLeave?: () => void }) {
  const { t } = useTranslation('usage');
  const usage = useUsage();
  return (
    <section
      aria-label={detailed ? t('cardDetailed') : t('card')}
      data-testid="usage-card"
      data-level={usage.data?.level}
      className={`rounded-xl border border-line bg-raised ${detailed ? 'p-6' : 'p-4'}`}
    >
      {usage.isPending && <Loading className="p-4" />}
      {usage.isError && <Problem error={usage.error} onRetry={() => void usage.refetch()} />}
      {usage.isSuccess &&
        (detailed ? <UsageFigures usage={usage.data} /> : <Compact usage={usage.data} onLeave={onLeave} />)}
    </section>
  );
}

function Compact({ usage, onLeave }: { usage: Usage; onLeave: (() => void) | undefined }) {
  const { t } = useTranslation('usage');
  const { tokens, moment } = useFigures();
  const left = useLeft();
  return (
    <div className="grid gap-2.5">
      <div className="flex items-center justify-between gap-2">
        <LevelLabel usage={usage} />
        <Link href="/usage" onClick={onLeave} className="rounded text-xs text-faint hover:text-ink">
          {t('details')}
        </Link>
      </div>
      <p className="text-sm leading-snug">
        <b className="font-semibold">{left(usage)}</b>
        <span className="text-faint"> · </span>
        <span className="inline-block text-faint">{t('resetsShort', { at: moment(usage.resetsAt) })}</span>
      </p>
      <Meter usage={usage} label={t('meter')} />
      <p className="flex flex-wrap justify-between gap-x-2 text-xs text-faint tabular-nums">
        <span>{t('leftOf', { tokens: tokens(usage.remainingTokens) })}</span>
        <span>{t('ofTotal', { total: tokens(usage.totalAvailable) })}</span>
      </p>
      {usage.level !== 'NORMAL' && !usage.suspended && (
        <BuyButton url={usage.purchaseUrl} place="card" {...(onLeave && { onGo: onLeave })} />
      )}
    </div>
  );
}

/**
 * Every figure of an account.
 * @param others whether an admin sees another person's account, without messages or offers.
 */
export function UsageFigures({ usage, others = false }: { usage: Usage; others?: boolean }) {
  const { t } = useTranslation('usage');
  const { tokens, percent, moment, until, timeZone } = useFigures();
  const left = useLeft();
  const figures = [
    ['used', tokens(usage.usedTokens)],
    ['held', tokens(usage.heldTokens)],
    ['remaining', tokens(usage.remainingTokens)],
    ['allowance', tokens(usage.allowanceTokens)],
    ['purchased', tokens(usage.purchasedTokens)],
    ['turnsLeft', t('turns', { n: tokens(usage.estimatedTurns) })],
  ] as const;
  return (
    <div className="grid gap-5">
      <div className="flex flex-wrap items-end justify-between gap-4">
        <div>
          <LevelLabel usage={usage} />
          {!others && <p className="mt-3 text-2xl font-semibold tracking-tight text-balance">{left(usage)}</p>}
          {!others && (
            <p className="mt-1 text-sm text-soft">
              {t('resets', { at: moment(usage.resetsAt), until: until(usage.resetsAt), zone: timeZone })}
            </p>
          )}
          <p className={others ? 'mt-2 text-2xl font-semibold tabular-nums' : 'mt-3 text-sm text-soft tabular-nums'}>
            {percent(usage.usagePercent)} ·{' '}
            {t('usedOf', { used: tokens(usage.usedTokens), total: tokens(usage.totalAvailable) })}
          </p>
        </div>
        {usage.level !== 'NORMAL' && !usage.suspended && !others && (
          <BuyButton url={usage.purchaseUrl} place="page" size="medium" className="w-full sm:w-auto" />
        )}
      </div>
      <Meter usage={usage} label={t('meter')} className="h-3" />
      {!others && <LevelMessage usage={usage} />}
      <dl className="grid grid-cols-2 gap-x-6 gap-y-4 sm:grid-cols-3">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt className="text-sm text-faint">{t(`figure.${name}`)}</dt>
            <dd className="text-lg font-medium tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      {usage.depletesAt !== null && (
        <p className="text-sm text-soft">
          {t('depletes', { at: moment(usage.depletesAt), until: until(usage.depletesAt) })}
        </p>
      )}
      {others && (
        <p className="border-t border-line pt-4 text-sm text-soft">
          {t('resets', { at: moment(usage.resetsAt), until: until(usage.resetsAt), zone: timeZone })}
        </p>
      )}
    </div>
  );
}

function LevelLabel({ usage: { level, suspended } }: { usage: Usage }) {
  const { t } = useTranslation('usage');
  const { icon: Icon, ink, tint } = LEVEL_LOOK[suspended ? 'BLOCKED' : level];
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-semibold ${tint} ${ink}`}
    >
      <Icon aria-hidden className="size-3.5" />
      {suspended ? t('suspended') : t(`level.${level}`)}
    </span>
  );
}

/** Says from 90 % on what happens next. */
function LevelMessage({ usage }: { usage: Usage }) {
  const { t } = useTranslation('usage');
  const { moment } = useFigures();
  if (usage.suspended || usage.level === 'NORMAL' || usage.level === 'NOTICE') return null;
  return (
    <p className={`text-sm ${LEVEL_LOOK[usage.level].ink}`}>
      {t(`cardMessage.${usage.level}`, { at: moment(usage.resetsAt) })}
    </p>
  );
}
