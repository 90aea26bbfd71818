import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Button } from '../../ui/Button.tsx';
import { FIELD } from '../../ui/field-look.ts';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';

/** A code for tokens, as it was printed or typed. */
export function RedeemForm() {
  const { t } = useTranslation('purchase');
  const { tokens } = useFigures();
  const queries = useQueryClient();
  const [code, setCode] = useState('');
  const redeem = useMutation({
    mutationFn: () => answer(api.POST('/api/redemptions', { body: { code } })),
    onSuccess: () => {
      setCode('');
      return queries.invalidateQueries({ queryKey: ['usage'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    redeem.mutate();
  };
  return (
    <section aria-labelledby="redeem">
      <h2 id="redeem" className="mb-2 font-semibold">
        {t('redeem.title')}
      </h2>
      <form onSubmit={submit} aria-labelledby="redeem" className="grid gap-3">
        <div className="flex flex-wrap items-end gap-3">
          <label className="grid min-w-60 flex-1 gap-1 text-sm text-soft sm:max-w-sm">
            {t('redeem.code')}
            <input
              required
              maxLength={200}
              autoComplete="off"
              autoCapitalize="characters"
              spellCheck={false}
              placeholder="XXXX-XXXX-XXXX-XXXX"
              value={code}
              onChange={({ target }) => {
                setCode(target.value);
                redeem.reset();
              }}
              className={`${FIELD} font-mono placeholder:text-faint`}
            />
          </label>
          <Button type="submit" disabled={redeem.isPending}>
            {t('redeem.now')}
          </Button>
        </div>
        <div role="status">
          {redeem.isSuccess && (
            <p className="text-sm text-good">{t('redeem.done', { tokens: tokens(redeem.data.tokens) })}</p>
          )}
        </div>
        {redeem.isError && <Problem error={redeem.error} />}
      </form>
    </section>
  );
}
