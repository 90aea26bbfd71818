import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';
import { useFigures } from '../../usage/figures.ts';
import { signed } from '../words/signed.ts';
import { Pages } from '../Table.tsx';
import { TurnLink } from '../TurnLink.tsx';
import { When } from '../When.tsx';
import { Reversal } from './Reversal.tsx';

type Entry = Schemas['LedgerEntry'];

/** A page of what was booked, newest first. A grant can be taken back from its row. */
export function Ledger({ ledger, busy }: { ledger: Schemas['AdminUserDetail']['ledger']; busy: boolean }) {
  const { t } = useTranslation('admin');
  const { tokens } = useFigures();
  return (
    <section>
      <h2 className="mb-3 text-lg font-semibold">{t('users.ledger')}</h2>
      <Pages
        label={t('users.ledger')}
        page={ledger}
        busy={busy}
        keyOf={({ entryId }) => entryId}
        empty={t('users.noEntries')}
        columns={[
          { title: t('at'), cell: ({ createdAt }) => <When at={createdAt} /> },
          {
            title: t('users.kind'),
            cell: ({ kind, estimated, overHold, ceilingMoved }) => (
              <>
                {t(`users.kindOf.${kind}`)}
                {[
                  ['estimated', estimated],
                  ['overHold', overHold],
                  ['ceilingMoved', ceilingMoved],
                ].flatMap(([flag, set]) =>
                  set === true
                    ? [
                        <span key={String(flag)} className="block text-xs text-faint">
                          {t(`users.flag.${flag as 'estimated'}`)}
                        </span>,
                      ]
                    : [],
                )}
              </>
            ),
          },
          { title: t('tokens'), numeric: true, cell: (entry) => signed(movedBy(entry), tokens) },
          {
            title: t('turns.purchased'),
            numeric: true,
            cell: (entry) => signed(entry.purchasedDelta - entry.debtDelta, tokens),
          },
          { title: t('turns.allowance'), numeric: true, cell: (entry) => signed(entry.allowanceDelta, tokens) },
          { title: t('turns.overage'), numeric: true, cell: (entry) => signed(entry.overageDelta, tokens) },
          { title: t('users.period'), cell: ({ period }) => period },
          {
            title: t('users.why'),
            cell: ({ turnId, reason }) => (turnId === null ? reason : <TurnLink turnId={turnId} />),
          },
          {
            title: t('reversal.column'),
            cell: (entry) => (entry.leftTokens === null ? null : <Reversal grant={entry} left={entry.leftTokens} />),
          },
        ]}
      />
    </section>
  );
}

/** A debit takes tokens away, as an adjustment upwards does: both show as less. */
function movedBy({ kind, tokens }: Entry): number {
  return kind === 'debit' || kind === 'adjustment' ? 0 - tokens : tokens;
}
