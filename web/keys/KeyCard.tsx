import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { StateLabel } from '../ui/StateLabel.tsx';
import { useFigures } from '../usage/figures.ts';
import type { Key } from './draft.ts';

export type KeyStep = 'edit' | 'rotate' | 'revoke';

const TONE = { live: 'good', expired: 'warn', revoked: 'plain' } as const;

/** @param onStep null: nothing can be done with it any more. */
export function KeyCard({ of, onStep }: { of: Key; onStep: ((step: KeyStep) => void) | null }) {
  const { t } = useTranslation('keys');
  return (
    <article aria-label={of.name} className="grid gap-4 rounded-xl border border-line bg-raised p-4 sm:p-5">
      <header className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <div className="min-w-0 flex-1">
          <h2 className="font-semibold break-words">{of.name}</h2>
          <p className="font-mono text-xs text-faint" translate="no">
            {of.hint}
          </p>
        </div>
        <StateLabel tone={TONE[of.state]}>{t(`state.${of.state}`)}</StateLabel>
      </header>
      <Use of={of} />
      <Facts of={of} />
      {onStep !== null && (
        <div className="flex flex-wrap gap-2">
          {(['edit', 'rotate', 'revoke'] as const).map((step) => (
            <Button
              key={step}
              size="small"
              look={step === 'revoke' ? 'bare' : 'quiet'}
              aria-label={t(`${step}Of`, { name: of.name })}
              onClick={() => onStep(step)}
            >
              {t(step)}
            </Button>
          ))}
        </div>
      )}
    </article>
  );
}

/** What it has used of its cap, as a bar and in words. */
function Use({ of }: { of: Key }) {
  const { t } = useTranslation('keys');
  const { tokens } = useFigures();
  const { capTokens, capKind } = of;
  const used = capKind === 'total' ? of.usedTotalTokens : of.usedTokens;
  const figures = { count: of.turns, used: tokens(used), turns: tokens(of.turns), total: tokens(of.usedTotalTokens) };
  if (capTokens === null || capKind === null)
    return <p className="text-sm text-soft tabular-nums">{t('use.free', figures)}</p>;
  const share = Math.min(100, (used / capTokens) * 100);
  const sentence = t(`use.${capKind}`, { ...figures, cap: tokens(capTokens) });
  return (
    <div className="grid gap-1.5">
      <p className="text-sm text-soft tabular-nums">{sentence}</p>
      <div
        role="meter"
        aria-label={t('use.meter', { name: of.name })}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.floor(share)}
        aria-valuetext={sentence}
        className="h-1.5 overflow-hidden rounded-full bg-line"
      >
        <div
          className={`h-full transition-[width] duration-500 ${share >= 100 ? 'bg-bad-fill' : share >= 90 ? 'bg-warn' : 'bg-accent-fill'}`}
          style={{ width: `${share}%` }}
        />
      </div>
      {share >= 100 && <p className="text-sm text-bad">{t('use.reached')}</p>}
    </div>
  );
}

function Facts({ of }: { of: Key }) {
  const { t } = useTranslation('keys');
  const { moment, tokens } = useFigures();
  const facts = [
    [t('facts.scopes'), of.scopes.map((scope) => t(`scope.${scope}.name`)).join(' · ')],
    [t('facts.models'), of.models?.join(', ') ?? t('facts.allModels')],
    [
      t('facts.lastUse'),
      of.lastUsedAt === null
        ? t('facts.never')
        : of.lastUsedFrom === null
          ? moment(of.lastUsedAt)
          : t('facts.usedFrom', { at: moment(of.lastUsedAt), from: of.lastUsedFrom }),
    ],
    of.revokedAt === null
      ? [t('facts.ends'), of.expiresAt === null ? t('facts.noEnd') : moment(of.expiresAt)]
      : [t('facts.revoked'), moment(of.revokedAt)],
    ...(of.requestsPerMinute === null
      ? []
      : [[t('facts.rate'), t('facts.perMinute', { shown: tokens(of.requestsPerMinute) })]]),
    ...(of.previous === null
      ? []
      : [[t('facts.previous'), t('facts.previousUntil', { hint: of.previous.hint, at: moment(of.previous.endsAt) })]]),
  ] as const;
  return (
    <dl className="grid gap-x-6 gap-y-2 text-sm sm:grid-cols-2">
      {facts.map(([name, value]) => (
        <div key={name} className="min-w-0">
          <dt className="text-xs text-faint">{name}</dt>
          <dd className="break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
