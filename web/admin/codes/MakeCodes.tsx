import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { newKey } from '../../api/new-key.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { FIELD, Labelled, ReasonField, WholeNumberField } from '../Fields.tsx';

const NUMBERS = [
  ['count', 1_000],
  ['tokens', 1_000_000_000],
  ['maxUses', 1_000_000],
] as const;

/** Makes a batch and shows its codes once: they are kept nowhere. */
export function MakeCodes() {
  const { t } = useTranslation('admin');
  const queries = useQueryClient();
  const [numbers, setNumbers] = useState({ count: '10', tokens: '10000', maxUses: '1' });
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const [key, setKey] = useState(newKey);
  const make = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/admin/codes', {
          params: { header: { 'Idempotency-Key': key } },
          body: {
            count: Number(numbers.count),
            tokens: Number(numbers.tokens),
            maxUses: Number(numbers.maxUses),
            reason,
            ...(until === '' ? {} : { expiresAt: new Date(until).toISOString() }),
          },
        }),
      ),
    onSuccess: () => {
      setKey(newKey());
      setReason('');
      return queries.invalidateQueries({ queryKey: ['admin'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <form
      onSubmit={submit}
      aria-label={t('codes.make')}
      className="grid max-w-3xl gap-3 rounded-xl border border-line bg-raised p-5"
    >
      <h2 className="text-lg font-semibold">{t('codes.make')}</h2>
      <div className="grid grid-cols-1 gap-3 sm:grid-cols-2">
        {NUMBERS.map(([name, most]) => (
          <WholeNumberField
            key={name}
            label={t(`codes.${name}`)}
            most={most}
            value={numbers[name]}
            onChange={(value) => setNumbers({ ...numbers, [name]: value })}
          />
        ))}
        <Labelled label={t('codes.until')}>
          <input
            type="datetime-local"
            value={until}
            onChange={({ target }) => setUntil(target.value)}
            className={`${FIELD} text-ink`}
          />
        </Labelled>
      </div>
      <ReasonField value={reason} onChange={setReason} />
      {make.isError && <Problem error={make.error} />}
      <Button type="submit" look="primary" disabled={make.isPending} className="sm:w-fit">
        {t('codes.makeNow')}
      </Button>
      <div role="status">{make.isSuccess && typeof make.data !== 'string' && <Made made={make.data} />}</div>
    </form>
  );
}

function Made({ made }: { made: Schemas['CodeBatchMade'] }) {
  const { t } = useTranslation('admin');
  const { batchId, codes, tokens, maxUses, expiresAt } = made;
  const lines = [
    ['code', 'tokens', 'maxUses', 'expiresAt'],
    ...codes.map((code) => [code, tokens, maxUses, expiresAt ?? '']),
  ];
  const csv = `data:text/csv;charset=utf-8,${encodeURIComponent(lines.map((line) => `${line.join(',')}\r\n`).join(''))}`;
  return (
    <div className="grid gap-3">
      <Notice tone="warn">{t('codes.once')}</Notice>
      <a
        href={csv}
        download={`turnkeeper-codes-${batchId}.csv`}
        className="inline-flex items-center gap-1.5 rounded text-sm text-accent hover:underline sm:w-fit"
      >
        <Download aria-hidden className="size-4" />
        {t('codes.download')}
      </a>
      <ul
        aria-label={t('codes.made')}
        tabIndex={0}
        className="grid max-h-60 grid-cols-1 gap-x-6 overflow-y-auto rounded-lg bg-panel p-3 font-mono text-sm sm:grid-cols-2"
      >
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
    </div>
  );
}
