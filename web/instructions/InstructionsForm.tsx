import { useQuery } from '@tanstack/react-query';
import { useId, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { FIELD } from '../ui/field-look.ts';
import { Loading } from '../ui/Loading.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useFigures } from '../usage/figures.ts';
import { instructionsQuery, useTokens, useWriteInstructions, type Instructions } from './instructions.ts';

/** The longest text that the server reads. */
const MOST_CHARACTERS = 4_000;

/** What a person tells the model with each question. @param conversationId null: in all conversations. */
export function InstructionsForm({ conversationId, label }: { conversationId: string | null; label: string }) {
  const { data, error, refetch } = useQuery(instructionsQuery(conversationId));
  if (data !== undefined) return <Written conversationId={conversationId} label={label} now={data} />;
  return error === null ? <Loading /> : <Problem error={error} onRetry={() => void refetch()} />;
}

function Written({ conversationId, label, now }: { conversationId: string | null; label: string; now: Instructions }) {
  const { t } = useTranslation('instructions');
  const { tokens: figure } = useFigures();
  const id = useId();
  const [{ draft, from }, setDraft] = useState({ draft: now.text, from: now.text });
  const write = useWriteInstructions(conversationId);
  const tokens = useTokens(draft) ?? now.tokens;
  const over = Math.max(0, tokens - now.mostTokens);
  const isOther = now.text !== from;
  // What was written elsewhere takes the place of what nobody has touched here.
  if (isOther && draft === from) setDraft({ draft: now.text, from: now.text });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    write.mutate(
      { text: draft, version: now.version },
      { onSuccess: ({ text }) => setDraft({ draft: text, from: text }) },
    );
  };
  return (
    <form onSubmit={submit} className="grid grid-cols-1 gap-2">
      <textarea
        value={draft}
        onChange={(event) => {
          setDraft({ draft: event.target.value, from });
          write.reset();
        }}
        rows={5}
        dir="auto"
        maxLength={MOST_CHARACTERS}
        placeholder={t('example')}
        aria-label={label}
        aria-describedby={`${id}-count ${id}-cost`}
        aria-invalid={over > 0}
        className={`${FIELD} h-auto resize-y py-2 leading-relaxed`}
      />
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <p id={`${id}-count`} className={`text-sm tabular-nums ${over > 0 ? 'text-bad' : 'text-faint'}`}>
          {t('count', { tokens: figure(tokens), most: figure(now.mostTokens) })}
          {over > 0 && ` · ${t('over', { count: over, n: figure(over) })}`}
        </p>
        <Button type="submit" look="primary" disabled={draft === now.text || over > 0 || write.isPending}>
          {t('save')}
        </Button>
      </div>
      <p id={`${id}-cost`} className="text-sm text-faint">
        {t('cost')}
      </p>
      <p role="status" className="text-sm text-good empty:hidden">
        {write.isSuccess && t(now.text === '' ? 'cleared' : 'saved')}
      </p>
      {write.isError && <Problem error={write.error} />}
      {isOther && (
        <div className="rounded-lg border border-line p-3 text-sm">
          <p className="font-medium">{t('other')}</p>
          <p dir="auto" className="mt-1 break-words whitespace-pre-wrap text-soft">
            {now.text === '' ? t('none') : now.text}
          </p>
          <Button size="small" className="mt-2" onClick={() => setDraft({ draft: now.text, from: now.text })}>
            {t('take')}
          </Button>
        </div>
      )}
    </form>
  );
}
