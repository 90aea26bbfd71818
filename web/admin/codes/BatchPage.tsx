import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Button } from '../../ui/Button.tsx';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminNav } from '../AdminNav.tsx';
import { ReasonField } from '../Fields.tsx';
import { PagedTable } from '../Table.tsx';
import { useAddress } from '../use-address.ts';

/** The codes of one batch, by their last letters. */
export function BatchPage({ batchId }: { batchId: string }) {
  const { t } = useTranslation('admin');
  const { moment, tokens } = useFigures();
  const queries = useQueryClient();
  const [{ cursor }] = useAddress();
  const [reason, setReason] = useState('');
  const path = { batchId };
  const codes = useQuery({
    queryKey: ['admin', 'codes', batchId, cursor],
    placeholderData: keepPreviousData,
    queryFn: () =>
      answer(
        api.GET('/api/admin/codes/{batchId}', { params: { path, query: cursor === undefined ? {} : { cursor } } }),
      ),
  });
  const revoke = useMutation({
    mutationFn: (codeId: number | null) =>
      answer(
        api.POST('/api/admin/codes/{batchId}/revoke', {
          params: { path },
          body: { reason, ...(codeId === null ? {} : { codeId }) },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['admin'] }),
  });
  return (
    <Page title={t('codes.one')} wide>
      <AdminNav />
      <form
        aria-label={t('codes.revoke')}
        onSubmit={(event) => {
          event.preventDefault();
          revoke.mutate(null);
        }}
        className="mb-6 flex flex-wrap items-end gap-3"
      >
        <ReasonField value={reason} onChange={setReason} width="w-72 max-w-full" />
        <Button type="submit" look="danger" size="small" disabled={revoke.isPending}>
          {t('codes.revokeAll')}
        </Button>
        <p className="basis-full text-sm text-soft">{t('codes.revokeLead')}</p>
      </form>
      {revoke.isError && <Problem error={revoke.error} />}
      <PagedTable
        label={t('codes.one')}
        query={codes}
        keyOf={({ codeId }) => codeId}
        empty={t('codes.none')}
        columns={[
          { title: t('codes.hint'), cell: ({ hint }) => <span className="font-mono">…{hint}</span> },
          {
            title: t('codes.uses'),
            numeric: true,
            cell: ({ uses, maxUses }) => `${tokens(uses)} / ${tokens(maxUses)}`,
          },
          {
            title: t('codes.revoked'),
            cell: ({ codeId, hint, revokedAt }) =>
              revokedAt === null ? (
                <Button
                  size="small"
                  disabled={revoke.isPending || reason.trim() === ''}
                  onClick={() => revoke.mutate(codeId)}
                  aria-label={`${t('codes.revoke')} …${hint}`}
                >
                  {t('codes.revoke')}
                </Button>
              ) : (
                moment(revokedAt)
              ),
          },
        ]}
      />
    </Page>
  );
}
