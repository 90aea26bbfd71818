import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { ConfirmDialog } from '../../ui/dialog/ConfirmDialog.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { ReasonField } from '../Fields.tsx';
import { Table } from '../Table.tsx';
import { When } from '../When.tsx';

type PersonKey = Schemas['PersonKey'];

/** The keys of a person, those to sign in by too; each may be revoked. There are at most a hundred of either sort. */
export function PersonKeys({ userId }: { userId: number }) {
  const { t } = useTranslation('people');
  const { tokens } = useFigures();
  const [revoked, setRevoked] = useState(false);
  const keys = useQuery({
    queryKey: ['admin', 'user', userId, 'keys', revoked],
    placeholderData: keepPreviousData,
    queryFn: () =>
      answer(
        api.GET('/api/admin/users/{userId}/keys', {
          params: { path: { userId }, query: { revoked: revoked ? 'true' : 'false', limit: 100 } },
        }),
      ),
  });
  const nameOf = ({ name }: PersonKey) => name ?? t('keys.signIn');
  return (
    <section>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <h2 className="text-lg font-semibold">{t('keys.title')}</h2>
        <Button size="small" onClick={() => setRevoked(!revoked)}>
          {t(revoked ? 'keys.live' : 'keys.ended')}
        </Button>
      </div>
      {keys.isPending && <Loading />}
      {keys.isError && <Problem error={keys.error} onRetry={() => void keys.refetch()} />}
      {keys.data !== undefined && (
        <Table
          label={t('keys.title')}
          items={keys.data.items}
          keyOf={({ keyId }) => keyId}
          empty={t('keys.none')}
          columns={[
            { title: t('keys.name'), cell: nameOf },
            { title: t('keys.hint'), cell: ({ hint }) => <span className="font-mono text-xs">{hint}</span> },
            { title: t('keys.state'), cell: ({ state }) => t(`keys.stateOf.${state}`) },
            { title: t('keys.used'), numeric: true, cell: ({ usedTokens }) => tokens(usedTokens) },
            {
              title: t('keys.lastUsed'),
              cell: ({ lastUsedAt, lastUsedFrom }) =>
                lastUsedAt === null ? (
                  '–'
                ) : (
                  <>
                    <When at={lastUsedAt} />
                    {lastUsedFrom !== null && (
                      <span className="block text-xs text-faint">{t('keys.from', { network: lastUsedFrom })}</span>
                    )}
                  </>
                ),
            },
            {
              title: t('keys.revoke'),
              cell: (key) =>
                key.state === 'live' ? <Revoke userId={userId} keyId={key.keyId} name={nameOf(key)} /> : '–',
            },
          ]}
        />
      )}
    </section>
  );
}

function Revoke({ userId, keyId, name }: { userId: number; keyId: number; name: string }) {
  const { t } = useTranslation('people');
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const revoke = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/admin/users/{userId}/keys/{keyId}/revoke', {
          params: { path: { userId, keyId } },
          body: { reason },
        }),
      ),
    onSuccess: () => {
      setOpen(false);
      return queries.invalidateQueries({ queryKey: ['admin', 'user', userId, 'keys'] });
    },
  });
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={setOpen}
      trigger={
        <Button size="small" aria-label={t('keys.revokeOf', { name })}>
          {t('keys.revoke')}
        </Button>
      }
      title={t('keys.askTitle', { name })}
      lead={t('keys.askLead')}
      keep={t('keys.keep')}
      act={t('keys.revoke')}
      doing={revoke}
      onConfirm={() => revoke.mutate()}
    >
      <ReasonField value={reason} onChange={setReason} />
    </ConfirmDialog>
  );
}
