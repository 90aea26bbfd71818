import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { FlaskConical } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { signInOptions } from '../../session/sign-in-options.ts';
import { Button } from '../../ui/Button.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../figures.ts';
import type { Level } from '../use-usage.ts';

const LEVELS = [
  [20, 'NORMAL'],
  [80, 'NOTICE'],
  [90, 'WARNING'],
  [95, 'CRITICAL'],
  [105, 'BLOCKED'],
] as const satisfies readonly (readonly [number, Level])[];

/**
 * Sets an account to a usage level, so that nobody must spend 100,000 tokens to see what happens. It exists only where
 * the demo accounts are.
 */
export function TryLevels({ userId }: { userId: number }) {
  const { t } = useTranslation(['usage-page', 'usage']);
  const { percent } = useFigures();
  const queries = useQueryClient();
  const options = useQuery(signInOptions);
  const move = useMutation({
    mutationFn: (usagePercent: number) =>
      answer(api.POST('/api/ai-usage/test-usage', { body: { userId, usagePercent } })),
    onSuccess: () =>
      queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'usage' || queryKey[0] === 'admin' }),
  });
  if (options.data?.demo !== true) return null;
  return (
    <section aria-labelledby="try-levels" className="grid gap-3 rounded-xl border border-dashed border-line p-5">
      <div>
        <h2 id="try-levels" className="flex items-center gap-2 font-semibold">
          <FlaskConical aria-hidden className="size-4 text-accent" />
          {t('try.title')}
        </h2>
        <p className="mt-1 text-sm text-soft">{t('try.lead')}</p>
      </div>
      <div className="flex flex-wrap gap-2">
        {LEVELS.map(([share, level]) => (
          <Button key={level} size="small" disabled={move.isPending} onClick={() => move.mutate(share)}>
            {percent(share)} · {t(`usage:level.${level}`)}
          </Button>
        ))}
      </div>
      {move.isError && <Problem error={move.error} />}
    </section>
  );
}
