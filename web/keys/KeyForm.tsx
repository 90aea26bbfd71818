import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import { Button } from '../ui/Button.tsx';
import { FIELD } from '../ui/field-look.ts';
import { Problem } from '../ui/Problem.tsx';
import { useFigures } from '../usage/figures.ts';
import { Check, Field } from './Field.tsx';
import { bodyOf, draftOf, ENDS, SCOPES, type Draft, type Key, type MintedKey } from './draft.ts';
import { KeyDialog } from './KeyDialog.tsx';
import { keysKey, modelsQuery } from './queries.ts';

/**
 * Makes a key, or changes one.
 * @param of null: a new one, whose secret `onMinted` gets.
 */
export function KeyForm({
  of,
  toOpener,
  onClose,
  onMinted,
}: {
  of: Key | null;
  toOpener: (event: Event) => void;
  onClose: () => void;
  onMinted: (minted: MintedKey) => void;
}) {
  const { t } = useTranslation('keys');
  const queries = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(of));
  const [wrong, setWrong] = useState<'scopes' | 'models' | null>(null);
  const change = (some: Partial<Draft>) => {
    setWrong(null);
    setDraft((before) => ({ ...before, ...some }));
  };
  const save = useMutation({
    mutationFn: async () => {
      const body = bodyOf(draft, of, Date.now());
      if (of === null) onMinted(await answer(api.POST('/api/keys', { body })));
      else await answer(api.PATCH('/api/keys/{keyId}', { params: { path: { keyId: of.keyId } }, body }));
    },
    onSuccess: () => {
      if (of !== null) onClose();
      void queries.invalidateQueries({ queryKey: keysKey });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const missing = draft.scopes.length === 0 ? 'scopes' : draft.models?.length === 0 ? 'models' : null;
    setWrong(missing);
    if (missing === null) save.mutate();
  };
  return (
    <KeyDialog
      title={of === null ? t('form.make') : t('form.edit', { name: of.name })}
      lead={t(of === null ? 'form.makeLead' : 'form.editLead')}
      isBusy={save.isPending}
      toOpener={toOpener}
      onClose={onClose}
    >
      <form onSubmit={submit} className="grid gap-5">
        <Field label={t('form.name')} hint={t('form.nameHint')}>
          {(described) => (
            <input
              {...described}
              required
              maxLength={100}
              value={draft.name}
              autoComplete="off"
              onChange={(event) => change({ name: event.target.value })}
              className={FIELD}
            />
          )}
        </Field>
        <fieldset className="grid gap-2">
          <legend className="mb-1 text-sm font-medium">{t('form.scopes')}</legend>
          {SCOPES.map((scope) => (
            <Check
              key={scope}
              label={t(`scope.${scope}.name`)}
              hint={t(`scope.${scope}.hint`)}
              checked={draft.scopes.includes(scope)}
              onChange={(on) => change({ scopes: SCOPES.filter((s) => (s === scope ? on : draft.scopes.includes(s))) })}
            />
          ))}
          {wrong === 'scopes' && <Wrong>{t('form.oneScope')}</Wrong>}
        </fieldset>
        <Models chosen={draft.models} onChange={(models) => change({ models })} isWrong={wrong === 'models'} />
        <Cap draft={draft} onChange={change} />
        <div className="grid gap-5 sm:grid-cols-2">
          <Ends of={of} draft={draft} onChange={change} />
          <Field label={t('form.rate')} hint={t('form.rateHint')}>
            {(described) => (
              <input
                {...described}
                type="number"
                min={1}
                max={1_000_000}
                step={1}
                inputMode="numeric"
                placeholder={t('form.rateNone')}
                value={draft.rate}
                onChange={(event) => change({ rate: event.target.value })}
                className={FIELD}
              />
            )}
          </Field>
        </div>
        {save.isError && <Problem error={save.error} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button disabled={save.isPending} onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button type="submit" look="primary" disabled={save.isPending}>
            {t(of === null ? 'form.create' : 'form.save')}
          </Button>
        </div>
      </form>
    </KeyDialog>
  );
}

function Wrong({ children }: { children: string }) {
  return (
    <p role="alert" className="text-sm text-bad">
      {children}
    </p>
  );
}

/** All models, now and later, or some of those that are on offer. */
function Models({
  chosen,
  onChange,
  isWrong,
}: {
  chosen: readonly string[] | null;
  onChange: (models: readonly string[] | null) => void;
  isWrong: boolean;
}) {
  const { t } = useTranslation('keys');
  const models = useQuery(modelsQuery);
  const offered = models.data?.items.map(({ name }) => name) ?? [];
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1 text-sm font-medium">{t('form.models')}</legend>
      <Check label={t('form.allModels')} checked={chosen === null} onChange={(all) => onChange(all ? null : [])} />
      {chosen !== null && (
        <div className="ml-7 grid gap-2">
          {offered.map((name) => (
            <Check
              key={name}
              label={name}
              checked={chosen.includes(name)}
              onChange={(on) => onChange(offered.filter((n) => (n === name ? on : chosen.includes(n))))}
            />
          ))}
        </div>
      )}
      {models.isError && <Problem error={models.error} onRetry={() => void models.refetch()} />}
      {isWrong && <Wrong>{t('form.oneModel')}</Wrong>}
    </fieldset>
  );
}

function Cap({ draft, onChange }: { draft: Draft; onChange: (some: Partial<Draft>) => void }) {
  const { t } = useTranslation('keys');
  return (
    <div className="grid gap-5 sm:grid-cols-2">
      <Field label={t('form.cap')} hint={t('form.capHint')}>
        {(described) => (
          <select
            {...described}
            value={draft.capKind}
            onChange={(event) => onChange({ capKind: event.target.value as Draft['capKind'] })}
            className={FIELD}
          >
            {(['none', 'period', 'total'] as const).map((kind) => (
              <option key={kind} value={kind}>
                {t(`form.capOf.${kind}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {draft.capKind !== 'none' && (
        <Field label={t('form.capTokens')}>
          {(described) => (
            <input
              {...described}
              type="number"
              required
              min={1}
              max={100_000_000_000_000}
              step={1}
              inputMode="numeric"
              value={draft.capTokens}
              onChange={(event) => onChange({ capTokens: event.target.value })}
              className={FIELD}
            />
          )}
        </Field>
      )}
    </div>
  );
}

function Ends({ of, draft, onChange }: { of: Key | null; draft: Draft; onChange: (some: Partial<Draft>) => void }) {
  const { t } = useTranslation('keys');
  const { moment } = useFigures();
  return (
    <Field label={t('form.ends')} hint={t('form.endsHint')}>
      {(described) => (
        <select
          {...described}
          value={draft.ends}
          onChange={(event) => onChange({ ends: event.target.value as Draft['ends'] })}
          className={FIELD}
        >
          {of?.expiresAt != null && <option value="keep">{t('form.endsKeep', { at: moment(of.expiresAt) })}</option>}
          <option value="never">{t('facts.noEnd')}</option>
          {ENDS.map((days) => (
            <option key={days} value={days}>
              {t('form.endsIn', { count: Number(days) })}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
