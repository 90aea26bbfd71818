import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { ApiError } from '../../api/api-error.ts';
import { newKey } from '../../api/new-key.ts';
import { Button } from '../../ui/Button.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { FIELD, Labelled, ReasonField } from '../Fields.tsx';

/** What every such request has beside what it is about. */
export interface Wanted {
  readonly reason: string;
  readonly ratePerSecond: number;
}

interface Planned<Plan> {
  /** What was counted; the plan holds for nothing else. */
  readonly of: string;
  readonly plan: Plan;
  /** The number that had been confirmed when the count turned out to be another. */
  readonly before: number | null;
}

/**
 * Something done once more to many, in two steps: it shows how many and which, then the admin confirms that number.
 * @param asked what is counted. @param plan counts it. @param start does it to the confirmed number, or answers another
 *   plan. @param pathOf the page of what was started, by its id. @param idIn the detail of an error that has that id.
 */
export function PlanThenStart<Plan extends { readonly count: number }>({
  id,
  words,
  asked,
  plan,
  start,
  pathOf,
  idIn,
  fields,
  below,
  children,
}: {
  id: string;
  words: {
    readonly title: string;
    readonly lead: string;
    readonly reasonHint: string;
    readonly rate: string;
    readonly plan: string;
    readonly start: (count: number) => string;
  };
  asked: object;
  plan: (wanted: Wanted) => Promise<Plan>;
  start: (wanted: Wanted, sent: { confirm: number; key: string }) => Promise<{ id: string } | { plan: Plan }>;
  pathOf: (id: string) => string;
  idIn: string;
  fields?: ReactNode;
  below?: ReactNode;
  children: (planned: { plan: Plan; before: number | null }) => ReactNode;
}) {
  const [, navigate] = useLocation();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const [rate, setRate] = useState('5');
  const [key, setKey] = useState(newKey);
  const [found, setFound] = useState<Planned<Plan> | null>(null);
  const of = JSON.stringify(asked);
  const planned = found?.of === of ? found : null;
  const wanted = { reason, ratePerSecond: Number(rate) };
  const planning = useMutation({
    mutationFn: async ({ before }: { before: number | null }) => ({ of, before, plan: await plan(wanted) }),
    onSuccess: setFound,
  });
  const starting = useMutation({
    mutationFn: (confirm: number) => start(wanted, { confirm, key }),
    onSuccess: (answered, confirm) => {
      setKey(newKey());
      if ('plan' in answered) return setFound({ of, plan: answered.plan, before: confirm });
      void queries.invalidateQueries({ queryKey: ['admin'] });
      navigate(pathOf(answered.id));
    },
    onError: (error, confirm) => {
      setKey(newKey());
      if (!(error instanceof ApiError)) return;
      // There are more, or fewer, by now: the new number is shown, and asked about again.
      if (error.code === 'confirm_required') planning.mutate({ before: confirm });
      // It is written down, but Temporal was away: its page can start it.
      const made = error.details[idIn];
      if (typeof made === 'string') navigate(pathOf(made));
    },
  });
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    starting.reset();
    planning.mutate({ before: null });
  };
  const busy = planning.isPending || starting.isPending;
  const recounted = starting.error instanceof ApiError && starting.error.code === 'confirm_required';
  return (
    <section
      id={id}
      aria-labelledby={`${id}-title`}
      className="mb-6 grid gap-4 rounded-xl border border-line bg-raised p-5"
    >
      <div>
        <h2 id={`${id}-title`} className="text-lg font-semibold">
          {words.title}
        </h2>
        <p className="mt-1 text-sm text-soft">{words.lead}</p>
      </div>
      <form onSubmit={submit} aria-labelledby={`${id}-title`} className="grid gap-3">
        <div className="flex flex-wrap items-end gap-3">
          <ReasonField
            field={first}
            value={reason}
            onChange={setReason}
            placeholder={words.reasonHint}
            width="w-72 max-w-full"
          />
          <NumberField label={words.rate} most={50} value={rate} onChange={setRate} />
          {fields}
          <Button type="submit" className="h-9 text-sm" look={planned === null ? 'primary' : 'quiet'} disabled={busy}>
            {words.plan}
          </Button>
        </div>
        {below}
      </form>
      <div role="status">{planned !== null && children(planned)}</div>
      {planned !== null && planned.plan.count > 0 && (
        <Button
          look="primary"
          className="justify-self-start"
          disabled={busy || reason.trim() === ''}
          onClick={() => starting.mutate(planned.plan.count)}
        >
          {words.start(planned.plan.count)}
        </Button>
      )}
      {planning.isError && <Problem error={planning.error} />}
      {starting.isError && !recounted && <Problem error={starting.error} />}
    </section>
  );
}

/** A whole number from 1 on. */
export function NumberField({
  label,
  most,
  value,
  onChange,
}: {
  label: string;
  most: number;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <Labelled label={label}>
      <input
        type="number"
        inputMode="numeric"
        required
        min={1}
        max={most}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className={`${FIELD} w-28 text-ink`}
      />
    </Labelled>
  );
}
