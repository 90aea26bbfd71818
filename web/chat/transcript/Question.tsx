import { Pencil } from 'lucide-react';
import { lazy, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { loadWords } from '../../i18n/language.ts';
import { liveTurns } from '../../session/keep.ts';
import { OnDemand } from '../../ui/OnDemand.tsx';
import { AskAnew } from '../branches/AskAnew.tsx';
import { Pager } from '../branches/Pager.tsx';
import { Tool } from '../branches/Tool.tsx';
import { compose, composingOf, editOf } from '../composer/composing.ts';
import { Failure } from './Failure.tsx';
import type { Row } from './rows.ts';

const EditQuestion = lazy(() =>
  import('../branches/EditQuestion.tsx').then(({ EditQuestion }) => ({ default: EditQuestion })),
);

const ShownFiles = lazy(async () => {
  const [{ ShownFiles }] = await Promise.all([import('../files/ShownFiles.tsx'), loadWords('files')]);
  return { default: ShownFiles };
});

export function Question({
  row,
  conversationId,
}: {
  row: Extract<Row, { kind: 'question' }>;
  conversationId: string | null;
}) {
  const { t } = useTranslation('chat');
  const turns = liveTurns();
  const live = turns.get(row.turnId);
  const { message } = row;
  // An edit that was begun before the page was left goes on.
  const [editing, setEditing] = useState(() => composingOf(editOf(row.turnId)).draft !== '');
  const wasEditing = useRef(false);
  const edit = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (wasEditing.current && !editing) edit.current?.querySelector('button')?.focus();
    wasEditing.current = editing;
  }, [editing]);
  const error = row.live ? undefined : (message?.error ?? live?.ending?.error);
  const stopped = !row.live && (message?.state ?? live?.ending?.state) === 'stopped';
  // What was read of a failed answer stands below, with the reason behind it.
  const hasText = live?.ending?.state === 'failed' && live.text !== '';
  const unanswered = !row.answered && (error !== undefined || stopped);
  const stored = message === null || conversationId === null ? null : { message, conversationId };
  const bubble = (
    <div
      dir="auto"
      className="ml-auto w-fit max-w-[85%] rounded-2xl rounded-br-md bg-accent-tint px-4 py-2.5 whitespace-pre-wrap"
    >
      {row.text}
    </div>
  );
  return (
    <article aria-label={t('you')} className="pt-5">
      {row.files.length > 0 && (
        <OnDemand closed={<div className="h-32" />}>
          <ShownFiles files={row.files} />
        </OnDemand>
      )}
      {stored !== null && editing ? (
        <OnDemand closed={bubble} onClose={() => setEditing(false)}>
          <EditQuestion {...stored} onClose={() => setEditing(false)} />
        </OnDemand>
      ) : (
        bubble
      )}
      {/* Its place is kept from the beginning, so that nothing below moves when the question is stored. */}
      {!editing && (
        <div
          ref={edit}
          className="mt-1 flex min-h-6.5 pointer-coarse:min-h-9.5 flex-wrap items-center justify-end gap-x-1"
        >
          {stopped && !row.answered && <p className="text-xs text-faint">{t('stopped')}</p>}
          {stored !== null && (
            <>
              {/* The answer's own place for it comes when the answer has ended. */}
              {row.live && <Pager {...stored} of="answers" />}
              <Pager {...stored} of="questions" />
              {!row.live && (
                <Tool
                  icon={Pencil}
                  label={t('edit.open')}
                  onPress={() => {
                    compose(editOf(row.turnId), { draft: row.text });
                    setEditing(true);
                  }}
                />
              )}
            </>
          )}
        </div>
      )}
      {error !== undefined && !hasText && (
        <Failure error={error} turnId={row.turnId} conversationId={conversationId} question={row.text} />
      )}
      {stored !== null && unanswered && (
        <div className="mt-1 -ml-2 flex flex-wrap items-center gap-x-1">
          <Pager {...stored} of="answers" />
          {stopped && <AskAnew {...stored} question={row.text} />}
        </div>
      )}
    </article>
  );
}
