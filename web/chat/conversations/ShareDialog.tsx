import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link2, Trash2 } from 'lucide-react';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Button } from '../../ui/Button.tsx';
import { ClosableDialog } from '../../ui/dialog/ClosableDialog.tsx';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { FIELD } from '../../ui/field-look.ts';
import { Loading } from '../../ui/Loading.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { useAnswered } from './use-answered.ts';

const DAYS = [7, 30, 365] as const;

/**
 * Makes a link to a copy of the conversation up to one of its answers, and takes links back.
 * @param turnId the last turn of the copy; null: the newest answered one. Another may be chosen.
 */
export function ShareDialog({
  conversationId,
  turnId,
  onClose,
}: {
  conversationId: string;
  turnId: string | null;
  onClose: () => void;
}) {
  const { t } = useTranslation('sharing');
  const { day } = useFigures();
  const path = { conversationId };
  const queries = useQueryClient();
  const key = ['shares', conversationId];
  const reread = () => queries.invalidateQueries({ queryKey: key });
  const links = useQuery({
    queryKey: key,
    queryFn: () =>
      answer(api.GET('/api/conversations/{conversationId}/shares', { params: { path, query: { limit: 100 } } })),
  });
  const answered = useAnswered({ conversationId, turnId });
  const [chosen, setChosen] = useState(turnId);
  const last = chosen ?? answered.data?.[0]?.turnId;
  const [days, setDays] = useState<number>(30);
  const made = useRef<HTMLInputElement>(null);
  const share = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/conversations/{conversationId}/shares', {
          params: { path },
          body: { expiresInDays: days, ...(last === undefined ? {} : { turnId: last }) },
        }),
      ),
    onSuccess: () => {
      void reread();
      setTimeout(() => made.current?.select());
    },
  });
  const revoke = useMutation({
    mutationFn: (shareId: string) => answer(api.DELETE('/api/shares/{shareId}', { params: { path: { shareId } } })),
    onSuccess: (_, shareId) => {
      if (share.data?.shareId === shareId) share.reset();
      return reread();
    },
  });
  const address = share.data === undefined ? '' : `${location.origin}${share.data.path}`;
  const error = share.error ?? revoke.error ?? links.error ?? answered.error;
  const questionOf = (shared: string) => answered.data?.find((turn) => turn.turnId === shared)?.question;
  return (
    <ClosableDialog title={t('share.title')} lead={t('share.lead')} onClose={onClose}>
      {answered.data !== undefined && answered.data.length > 0 && (
        <label className="mt-4 grid gap-1 text-sm text-soft">
          {t('share.upTo')}
          <select
            value={last}
            onChange={(event) => {
              setChosen(event.target.value);
              share.reset();
            }}
            className={FIELD}
          >
            {answered.data.map(({ turnId: each, question }, i) => (
              <option key={each} value={each}>
                {i === 0 ? t('share.newest', { question }) : question}
              </option>
            ))}
          </select>
        </label>
      )}
      <div className="mt-4 flex flex-wrap items-end justify-between gap-3">
        <label className="grid gap-1 text-sm text-soft">
          {t('share.expires')}
          <select
            value={days}
            onChange={(event) => setDays(Number(event.target.value))}
            className="h-10 rounded-lg border border-line bg-raised px-3 text-ink"
          >
            {DAYS.map((count) => (
              <option key={count} value={count}>
                {t('share.days', { count })}
              </option>
            ))}
          </select>
        </label>
        <Button look="primary" disabled={share.isPending} onClick={() => share.mutate()}>
          <Link2 aria-hidden className="size-4" />
          {t('share.make')}
        </Button>
      </div>
      {share.data !== undefined && (
        <div className="mt-4 flex items-center gap-1 rounded-lg border border-line pr-1.5">
          <input
            ref={made}
            readOnly
            value={address}
            aria-label={t('share.address')}
            className="h-10 min-w-0 flex-1 rounded-lg bg-transparent px-3 text-sm"
          />
          <CopyButton text={address} label={t('share.copy')} />
        </div>
      )}
      <p role="status" className="mt-2 text-sm text-faint empty:hidden">
        {share.data !== undefined && t('share.once')}
      </p>
      {error !== null && (
        <div className="mt-4">
          <Problem error={error} />
        </div>
      )}
      {links.isPending && <Loading className="mt-4" />}
      {links.data !== undefined && links.data.items.length > 0 && (
        <>
          <h3 className="mt-6 mb-1 text-sm font-medium">{t('share.links')}</h3>
          <ul className="divide-y divide-line">
            {links.data.items.map(({ shareId, turnId: shared, createdAt, expiresAt }) => (
              <li key={shareId} className="flex items-center gap-3 py-1.5 text-sm text-soft">
                <span className="min-w-0 flex-1">
                  <span className="block truncate text-ink">{questionOf(shared)}</span>
                  {t('share.link', { made: day(createdAt), ends: day(expiresAt) })}
                </span>
                <Button
                  size="small"
                  look="bare"
                  disabled={revoke.isPending}
                  aria-label={t('share.revokeOf', { made: day(createdAt) })}
                  onClick={() => revoke.mutate(shareId)}
                >
                  <Trash2 aria-hidden className="size-3.5" />
                  {t('share.revoke')}
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
    </ClosableDialog>
  );
}
