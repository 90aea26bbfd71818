import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { currentLocale } from '../i18n/language.ts';
import { useFigures } from '../usage/figures.ts';
import { momentsIn } from '../usage/moments.ts';
import { Block, FigureTable } from './Block.tsx';
import type { Report } from './queries.ts';

export function Models({ models }: { models: Report['models'] }) {
  const { t } = useTranslation('reports');
  const { tokens, percent } = useFigures();
  const share = (part: number, whole: number) => percent(whole === 0 ? 0 : Math.floor((part / whole) * 100));
  return (
    <Block title={t('models.title')}>
      <FigureTable
        label={t('models.title')}
        columns={[t('models.model'), t('models.turns'), t('models.tokens'), t('models.cached'), t('models.reasoning')]}
        rows={models.map((one) => ({
          key: one.model,
          cells: [
            one.model,
            tokens(one.turns),
            tokens(one.debitedTokens),
            share(one.cachedTokens, one.promptTokens),
            share(one.reasoningTokens, one.completionTokens),
          ],
        }))}
      />
    </Block>
  );
}

/** Conversations by the titles that they have now. */
export function Costliest({ turns, timeZone }: { turns: Report['costliest']; timeZone: string }) {
  const { t } = useTranslation('reports');
  const { tokens } = useFigures();
  const { moment } = momentsIn(currentLocale(), timeZone);
  return (
    <Block title={t('costliest.title')} long>
      <FigureTable
        label={t('costliest.title')}
        columns={[t('costliest.what'), t('costliest.debited'), t('costliest.sent'), t('costliest.received')]}
        rows={turns.map((turn) => ({
          key: turn.turnId,
          cells: [
            <span key="what" className="block sm:min-w-36">
              {turn.conversationId === null ? (
                <span className="text-faint">{t('costliest.gone')}</span>
              ) : (
                <Link href={`/c/${turn.conversationId}`} className="rounded text-accent hover:underline">
                  {turn.title ?? t('costliest.untitled')}
                </Link>
              )}
              <span className="block text-faint">
                {moment(turn.bookedAt)} · {turn.model}
              </span>
            </span>,
            tokens(turn.debitedTokens),
            tokens(turn.promptTokens),
            tokens(turn.completionTokens),
          ],
        }))}
      />
    </Block>
  );
}

export function Days({ days }: { days: Report['days'] }) {
  const { t } = useTranslation('reports');
  const { tokens, dayOf } = useFigures();
  return (
    <Block title={t('days.title')} long>
      <FigureTable
        label={t('days.title')}
        columns={[t('days.day'), t('days.turns'), t('days.tokens')]}
        rows={days.map((one) => ({
          key: one.day,
          cells: [dayOf(one.day), tokens(one.turns), tokens(one.usedTokens)],
        }))}
      />
    </Block>
  );
}
