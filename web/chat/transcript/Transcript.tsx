import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import { ArrowDown } from 'lucide-react';
import { memo, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/Button.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { AskAnewContext } from '../branches/AskAnew.tsx';
import { useTurned } from '../branches/turned.ts';
import type { Instead } from '../turns/turn-state.ts';
import { Answer, preloadMarkdown } from './Answer.tsx';
import { Question } from './Question.tsx';
import type { MessagePage, Row } from './rows.ts';
import { usePlace } from './use-place.ts';
import { useRowWindow } from './use-row-window.ts';
import { Welcome } from './Welcome.tsx';

type Stored = UseInfiniteQueryResult<InfiniteData<MessagePage>>;

/** @param stored null for a conversation that has not begun. */
export function Transcript({
  rows,
  stored,
  conversationId,
  onAsk,
  onContinue,
  onAskAnew,
}: {
  rows: readonly Row[];
  stored: Stored | null;
  conversationId: string | null;
  onAsk: (message: string) => void;
  onContinue: () => void;
  onAskAnew: (question: string, instead: Instead) => void;
}) {
  const { t } = useTranslation('chat');
  const askAnew = useLatest(onAskAnew);
  const goOn = useLatest(onContinue);
  const more =
    stored?.hasNextPage === true && !stored.isFetchingNextPage && !stored.isFetchNextPageError
      ? () => void stored.fetchNextPage()
      : null;
  const view = useRowWindow(rows, more);
  const asked = rows.findLast((row) => row.kind === 'question' && row.message === null)?.turnId;
  const toEnd = useLatest(view.toEnd);
  // Who asks sees the question, wherever in the conversation it was written.
  useEffect(() => {
    if (asked !== undefined) toEnd();
  }, [asked, toEnd]);
  useTurned(rows, { reveal: view.reveal, readMore: more });
  usePlace(rows, { reveal: view.reveal, readMore: more, ready: preloadMarkdown });
  if (rows.length === 0 && (stored === null || stored.isSuccess))
    return <Welcome begun={stored !== null} onAsk={onAsk} />;
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={view.scroller}
        tabIndex={0}
        role="region"
        aria-label={t('transcript')}
        // What is written for screen readers alone is placed absolutely: without a place of its own here it would make
        // the page itself taller.
        className="relative h-full overflow-y-auto outline-offset-[-2px] [overflow-anchor:none]"
      >
        <div ref={view.content} className="mx-auto w-full max-w-3xl px-4 pt-4 pb-6 sm:px-7">
          <div ref={view.top} className="h-px" />
          {stored?.isPending === true && rows.length === 0 && <Loading />}
          {stored?.isFetchingNextPage === true && <Loading className="p-3" />}
          {stored?.isError === true && (
            <Problem
              error={stored.error}
              onRetry={() => void (stored.data === undefined ? stored.refetch() : stored.fetchNextPage())}
            />
          )}
          <AskAnewContext value={askAnew}>
            {view.rows.map((row) => (
              <Line
                key={row.key}
                row={row}
                conversationId={conversationId}
                last={row === rows.at(-1)}
                onContinue={goOn}
              />
            ))}
          </AskAnewContext>
          <div ref={view.bottom} className="h-px" />
        </div>
      </div>
      {!view.atEnd && (
        <Button
          size="icon"
          className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full! shadow-float"
          aria-label={t('toEnd')}
          onClick={view.toEnd}
        >
          <ArrowDown aria-hidden className="size-4" />
        </Button>
      )}
    </div>
  );
}

const Line = memo(
  function Line({
    row,
    conversationId,
    last,
    onContinue,
  }: {
    row: Row;
    conversationId: string | null;
    last: boolean;
    onContinue: () => void;
  }) {
    return (
      <div data-row={row.key}>
        {row.kind === 'question' ? (
          <Question row={row} conversationId={conversationId} />
        ) : (
          <Answer row={row} conversationId={conversationId} last={last} onContinue={onContinue} />
        )}
      </div>
    );
  },
  (before, after) =>
    before.conversationId === after.conversationId && before.last === after.last && sameRow(before.row, after.row),
);

/** A callback that stays the same, and calls the newest. */
function useLatest<Args extends unknown[]>(callback: (...args: Args) => void): (...args: Args) => void {
  const latest = useRef(callback);
  useEffect(() => {
    latest.current = callback;
  });
  const [stable] = useState(
    () =>
      (...args: Args) =>
        latest.current(...args),
  );
  return stable;
}

/**
 * Whether two rows show the same. Each change of the transcript makes all rows anew, but most show what they showed.
 */
function sameRow(a: Row, b: Row): boolean {
  return (
    a.key === b.key &&
    a.message === b.message &&
    (a.kind !== 'question' ||
      b.kind !== 'question' ||
      (a.text === b.text && a.live === b.live && a.answered === b.answered)) &&
    (a.kind !== 'answer' || b.kind !== 'answer' || a.question === b.question)
  );
}
