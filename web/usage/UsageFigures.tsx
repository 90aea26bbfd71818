import { useTranslation } from 'react-i18next';
import { currentLocale } from '../i18n/language.ts';
import { BuyButton } from './BuyButton.tsx';
import { useFigures } from './figures.ts';
import { LEVEL_LOOK } from './levels/level-look.ts';
import { LevelLabel } from './levels/LevelLabel.tsx';
import { Meter } from './Meter.tsx';
import { useLeft } from './use-left.ts';
import type { Usage } from './use-usage.ts';
import { zoneName } from './zone-name.ts';

/**
 * Every figure of an account.
 * @param others whether an admin sees another person's account, without messages or offers.
 */
export function UsageFigures({ usage, others = false }: { usage: Usage; others?: boolean }) {
  const { t } = useTranslation('usage');
  const { tokens, percent, moment, until, timeZone } = useFigures();
  const left = useLeft();
  const resets = t('resets', {
    at: moment(usage.resetsAt),
    until: until(usage.resetsAt),
    zone: zoneName(timeZone, currentLocale()),
  });
  const figures = [
    ['used', tokens(usage.usedTokens)],
    ['held', tokens(usage.heldTokens)],
    ['remaining', tokens(usage.remainingTokens)],
    ['allowance', tokens(usage.allowanceTokens)],
    ['purchased', tokens(usage.purchasedTokens)],
    ['turnsLeft', usage.estimatedTurns === 0 ? '0' : t('turns', { n: tokens(usage.estimatedTurns) })],
  ] as const;
  return (
    <div className="grid gap-5">
      <div className="flex flex-wrap items-end justify-between gap-4">
        <div>
          <LevelLabel usage={usage} />
          {!others && <p className="mt-3 text-2xl font-semibold tracking-tight text-balance">{left(usage)}</p>}
          {!others && <p className="mt-1 text-sm text-soft">{resets}</p>}
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
      {others && <p className="border-t border-line pt-4 text-sm text-soft">{resets}</p>}
    </div>
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
