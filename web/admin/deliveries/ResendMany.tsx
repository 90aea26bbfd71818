import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { answer } from '../../api/answer.ts';
import { ApiError } from '../../api/api-error.ts';
import { api } from '../../api/client.ts';
import { newKey } from '../../api/new-key.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { FIELD, Labelled, ReasonField } from '../Fields.tsx';
import type { Address } from '../use-address.ts';

type Filter = Schemas['DeliveryFilter'];

/** Sends the failed deliveries of the filter once more, in two steps: how many, then that number is confirmed. */
export function ResendMany({ address }: { address: Address }) {
  const { t } = useTranslation('deliveries');
  const { tokens: written } = useFigures();
  const [, navigate] = useLocation();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const [rate, setRate] = useState('5');
  const [key, setKey] = useState(newKey);
  const [found, setFound] = useState<{ of: string; plan: Schemas['ResendPlan'] } | null>(null);
  const filter = filterOf(address);
  const of = JSON.stringify(filter);
  const plan = found?.of === of ? found.plan : null;
  const body = { filter, reason, ratePerSecond: Number(rate) };
  const planning = useMutation({
    mutationFn: async () => ({
      of,
      plan: (await answer(
        api.POST('/api/admin/deliveries/resend', { body: { ...body, limit: MOST, dryRun: true } }),
      )) as Schemas['ResendPlan'],
    }),
    onSuccess: setFound,
  });
  const start = useMutation({
    mutationFn: (confirm: number) =>
      answer(
        api.POST('/api/admin/deliveries/resend', {
          params: { header: { 'Idempotency-Key': key } },
          body: { ...body, limit: MOST, dryRun: false, confirm },
        }),
      ),
    onSuccess: (started) => {
      setKey(newKey());
      if (!('resendId' in started)) return setFound({ of, plan: started });
      void queries.invalidateQueries({ queryKey: ['admin'] });
      navigate(`/admin/deliveries/resends/${started.resendId}`);
    },
    onError: (error) => {
      setKey(newKey());
      if (!(error instanceof ApiError)) return;
      // There are more, or fewer, by now: the new number is shown, and asked about again.
      if (error.code === 'confirm_required') planning.mutate();
      if (typeof error.details['resendId'] === 'string')
        navigate(`/admin/deliveries/resends/${error.details['resendId']}`);
    },
  });
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.reset();
    planning.mutate();
  };
  const busy = planning.isPending || start.isPending;
  const recounted = start.error instanceof ApiError && start.error.code === 'confirm_required';
  return (
    <section
      id="resend-many"
      aria-labelledby="resend-many-title"
      className="mb-6 grid gap-4 rounded-xl border border-line bg-raised p-5"
    >
      <div>
        <h2 id="resend-many-title" className="text-lg font-semibold">
          {t('many.title')}
        </h2>
        <p className="mt-1 text-sm text-soft">{t('many.lead')}</p>
      </div>
      <form onSubmit={submit} aria-labelledby="resend-many-title" className="flex flex-wrap items-end gap-3">
        <ReasonField
          field={first}
          value={reason}
          onChange={setReason}
          placeholder={t('reasonHint')}
          width="w-72 max-w-full"
        />
        <Labelled label={t('many.rate')}>
          <input
            type="number"
            inputMode="numeric"
            required
            min={1}
            max={50}
            value={rate}
            onChange={(event) => setRate(event.target.value)}
            className={`${FIELD} w-28 text-ink`}
          />
        </Labelled>
        <Button type="submit" className="h-9 text-sm" look={plan === null ? 'primary' : 'quiet'} disabled={busy}>
          {t('many.plan')}
        </Button>
      </form>
      <div role="status" className="text-sm font-medium">
        {plan !== null &&
          (plan.count === 0
            ? t('many.nothing')
            : t('many.planned', { n: written(plan.count), all: written(plan.matched) }))}
      </div>
      {plan !== null && plan.count > 0 && (
        <Button
          look="primary"
          className="justify-self-start"
          disabled={busy || reason.trim() === ''}
          onClick={() => start.mutate(plan.count)}
        >
          {t('many.start', { n: written(plan.count) })}
        </Button>
      )}
      {planning.isError && <Problem error={planning.error} />}
      {start.isError && !recounted && <Problem error={start.error} />}
    </section>
  );
}

const MOST = 10_000;

/** What the address says, but its state: only failed ones are sent once more, and nothing is sent in the app. */
function filterOf({ channel, kind, userId }: Address): Filter {
  return {
    ...(channel === 'email' || channel === 'webhook' ? { channel } : {}),
    ...(kind === undefined ? {} : { kind }),
    ...(userId === undefined ? {} : { userId: Number(userId) }),
  };
}
