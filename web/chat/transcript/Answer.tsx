import { lazy, Suspense, useEffect, useState, useSyncExternalStore, type ComponentProps } from 'react';
import { useTranslation } from 'react-i18next';
import { liveTurns } from '../../session/keep.ts';
import { Boundary } from '../../ui/Boundary.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { AnswerFoot } from './AnswerFoot.tsx';
import { Continue } from './Continue.tsx';
import { Failure } from './Failure.tsx';
import type { Row } from './rows.ts';

type Drawing = typeof import('../../markdown/Markdown.tsx').Markdown;
let loaded: Drawing | null = null;

async function loadMarkdown(): Promise<{ default: Drawing }> {
  const { Markdown } = await import('../../markdown/Markdown.tsx');
  loaded = Markdown;
  return { default: Markdown };
}

const Awaited = lazy(loadMarkdown);

export async function preloadMarkdown(): Promise<void> {
  await loadMarkdown().catch(() => {});
}

/**
 * A turn's answer. It is the same element from its first delta to the stored transcript, so that nothing jumps when it
 * ends.
 * @param last whether it is the conversation's last, from which one can go on.
 * @param onContinue asks for what an answer that was cut still lacks.
 */
export function Answer({
  row,
  conversationId,
  last,
  onContinue,
}: {
  row: Extract<Row, { kind: 'answer' }>;
  conversationId: string | null;
  last: boolean;
  onContinue: () => void;
}) {
  const { t } = useTranslation('chat');
  const turns = liveTurns();
  const live = useSyncExternalStore(turns.subscribe, () => turns.get(row.turnId));
  const { message } = row;
  const text = message?.content ?? live?.text ?? '';
  const streaming = message === null && live?.ending === null;
  const ending = message ?? live?.ending ?? null;
  const failed = message === null ? live?.ending?.error : undefined;
  const dimmed = live?.again === true || failed !== undefined;
  // It comes while the answer is awaited, and not in the same task as its first words.
  useEffect(() => {
    if (streaming) void preloadMarkdown();
  }, [streaming]);
  const plain = <div className="whitespace-pre-wrap">{text}</div>;
  return (
    <article aria-label={t('answer')} aria-busy={streaming} className="group pt-5">
      {text !== '' && (
        <div className={`answer transition-opacity ${dimmed ? 'opacity-70' : ''}`}>
          {/* Text that cannot be drawn, such as quotes nested 4,000 deep, is shown as it is. */}
          <Boundary of={streaming} fallback={() => plain}>
            <Suspense fallback={plain}>
              <Drawn text={text} streaming={streaming} caret={streaming && !dimmed} />
            </Suspense>
          </Boundary>
        </div>
      )}
      {streaming && (text === '' || live.again) && (
        <Waiting label={live.again ? t('again') : live.phase === 'sending' ? t('sending') : t('thinking')} />
      )}
      {failed !== undefined && (
        <>
          <p className="mt-2 text-sm text-faint">{t('brokenOff')}</p>
          <Failure error={failed} turnId={row.turnId} conversationId={conversationId} />
        </>
      )}
      {ending !== null && failed === undefined && (
        <AnswerFoot
          text={text}
          ending={ending}
          turnId={row.turnId}
          message={message}
          question={row.question}
          conversationId={conversationId}
          onContinue={ending.state === 'stopped' && text !== '' && last ? onContinue : null}
        />
      )}
      {ending?.finishReason === 'stop' && text.trim() === '' && (
        <div className="mt-3">
          <Notice tone="info">{t('endedEmpty')}</Notice>
        </div>
      )}
      {ending?.finishReason === 'length' &&
        (text === '' ? (
          <div className="mt-3">
            <Notice tone="info">{t('cutWhileThinking')}</Notice>
          </div>
        ) : (
          <Continue conversationId={conversationId} last={last} onContinue={onContinue} />
        ))}
    </article>
  );
}

/** What has come already draws at once: something lazy would show the text's signs for the first 300 ms. */
function Drawn(answer: ComponentProps<Drawing>) {
  const [Markdown] = useState(() => loaded ?? Awaited);
  return <Markdown {...answer} />;
}

function Waiting({ label }: { label: string }) {
  return (
    <p className="flex items-center gap-2 py-1 text-sm text-faint">
      <span aria-hidden className="flex gap-1">
        {[0, 1, 2].map((n) => (
          <span
            key={n}
            className="size-1.5 animate-pulse-soft rounded-full bg-current"
            style={{ animationDelay: `${n * 0.18}s` }}
          />
        ))}
      </span>
      {label}
    </p>
  );
}
