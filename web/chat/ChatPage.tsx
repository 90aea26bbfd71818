import { useQuery } from '@tanstack/react-query';
import { useEffect, useLayoutEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { answer } from '../api/answer.ts';
import { ApiError } from '../api/api-error.ts';
import { api } from '../api/client.ts';
import { liveTurns } from '../session/keep.ts';
import { WRITE } from '../ui/keys/shortcuts.ts';
import { NotFound } from '../ui/NotFound.tsx';
import { TopBar } from '../ui/TopBar.tsx';
import { UsageBanner } from '../usage/UsageBanner.tsx';
import { branchOf } from './branches/shown-branch.ts';
import { usePlaceBranch } from './branches/use-place-branch.ts';
import { Elsewhere } from './branches/Elsewhere.tsx';
import { Composer } from './composer/Composer.tsx';
import {
  compose,
  composingOf,
  editOf,
  forgetUnsent,
  moveDraft,
  useComposing,
  type ShownFile,
} from './composer/composing.ts';
import { useModelChoice } from './composer/ModelPicker.tsx';
import { Refusal } from './composer/Refusal.tsx';
import { preloadMarkdown } from './transcript/Answer.tsx';
import { Transcript } from './transcript/Transcript.tsx';
import { useRunning } from './transcript/use-running.ts';
import { useTranscript } from './transcript/use-transcript.ts';
import { newTurnId } from './turns/new-turn-id.ts';
import type { Instead } from './turns/turn-state.ts';

/** The first turn sent from here, by the conversation that it began: the conversation keeps its place on the screen. */
const begunBy = new Map<string, string>();

export function ChatPage({ conversationId }: { conversationId: string | null }) {
  const { t } = useTranslation('chat');
  const [, navigate] = useLocation();
  const [pending, setPending] = useState<string | null>(null);
  const turns = liveTurns();
  const { rows, stored } = useTranscript(conversationId);
  const conversation = useQuery({
    queryKey: ['conversation', conversationId],
    enabled: conversationId !== null,
    queryFn: () =>
      answer(
        api.GET('/api/conversations/{conversationId}', { params: { path: { conversationId: conversationId ?? '' } } }),
      ),
  });
  usePlaceBranch(conversationId, rows, stored.isSuccess);
  const { model } = useModelChoice();
  const running = useRunning(conversationId);
  const { unsent } = useComposing(conversationId);

  const began = pending === null ? null : (turns.get(pending)?.conversationId ?? null);
  useLayoutEffect(() => {
    if (conversationId !== null || pending === null || began === null) return;
    begunBy.set(began, pending);
    moveDraft(began);
    setPending(null);
    navigate(`/c/${began}`, { replace: true });
  }, [conversationId, pending, began, navigate]);
  // A question that was on its way when the page was reloaded may have arrived.
  const arrived = unsent !== null && rows.some(({ turnId, message }) => turnId === unsent.turnId && message !== null);
  useEffect(() => {
    if (arrived) forgetUnsent(unsent.turnId);
  }, [arrived, unsent]);
  useEffect(() => void preloadMarkdown(), []);
  const title = conversationId === null ? t('new') : (conversation.data?.title ?? '');
  useEffect(() => {
    document.title = title === '' ? 'Turnkeeper' : `${title} · Turnkeeper`;
  }, [title]);

  const send = (message: string, { canned = false } = {}) => {
    const branch = conversationId === null ? null : branchOf(conversationId);
    const files = canned ? [] : composingOf(conversationId).files.flatMap(({ file }) => file ?? []);
    const again = unsent?.message === message && sameFiles(unsent.files ?? [], files) ? unsent : null;
    const turnId = again?.turnId ?? newTurnId();
    // On a branch that was chosen it goes on from what is shown, whatever came last elsewhere.
    const parentTurnId = again !== null ? again.parentTurnId : branch === null ? undefined : rows.at(-1)?.turnId;
    compose(conversationId, {
      refusal: null,
      ...(message === composingOf(conversationId).draft.trim() ? { draft: '' } : {}),
      ...(canned ? {} : { files: [], unsent: { turnId, message, files, parentTurnId } }),
    });
    turns.send({ turnId, message, files, canned, conversationId, model, parentTurnId, instead: null, branch });
    // The place that a search led to is left.
    if (conversationId !== null && location.search !== '') navigate(`/c/${conversationId}`, { replace: true });
    if (conversationId === null) setPending(turnId);
  };
  const askAnew = (message: string, instead: Instead) => {
    if (conversationId === null) return;
    const { parentTurnId, edited } = instead;
    // What the question showed, it shows again.
    const files = rows.flatMap((row) => (row.kind === 'question' && row.turnId === instead.turnId ? row.files : []));
    const key = editOf(instead.turnId);
    const before = composingOf(key).unsent;
    const turnId = edited && before?.message === message ? before.turnId : newTurnId();
    if (edited) compose(key, { draft: '', unsent: { turnId, message, parentTurnId } });
    compose(conversationId, { refusal: null });
    const branch = branchOf(conversationId);
    turns.send({ turnId, message, files, canned: !edited, conversationId, model, parentTurnId, instead, branch });
    dispatchEvent(new Event(WRITE));
  };
  if (stored.error instanceof ApiError && stored.error.code === 'not_found') return <NotFound />;
  const place = (conversationId === null ? pending : (begunBy.get(conversationId) ?? conversationId)) ?? 'new';
  return (
    <>
      <TopBar>
        <h1 className="truncate text-sm font-medium text-soft">{title}</h1>
      </TopBar>
      <main className="flex min-h-0 flex-1 flex-col">
        <Transcript
          key={place}
          rows={rows}
          stored={conversationId === null ? null : stored}
          conversationId={conversationId}
          onAsk={send}
          onContinue={() => send(t('continueMessage'), { canned: true })}
          onAskAnew={askAnew}
        />
        {/* Where a keyboard leaves no room for all of it, the composer at its end shows, and the rest scrolls. */}
        <div className="flex min-h-0 flex-col-reverse overflow-y-auto">
          <div className="mx-auto grid w-full max-w-3xl shrink-0 grid-cols-[minmax(0,1fr)] gap-2.5 px-3 pb-3 sm:px-6 sm:pb-5">
            <UsageBanner />
            <Elsewhere conversationId={conversationId} rows={rows} running={running} />
            <Refusal conversationId={conversationId} />
            <Composer
              place={place}
              conversationId={conversationId}
              running={running}
              onSend={send}
              onStop={(turnId) => void turns.stop(turnId)}
            />
          </div>
        </div>
      </main>
    </>
  );
}

function sameFiles(some: readonly ShownFile[], others: readonly ShownFile[]): boolean {
  return some.length === others.length && some.every(({ fileId }, i) => fileId === others[i]?.fileId);
}
