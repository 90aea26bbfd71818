import { lazy, Suspense, useEffect, useRef, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { loadWords } from '../../i18n/language.ts';
import { mayTakeFocus } from '../../ui/focus/arrival.ts';
import { isComposingKey } from '../../ui/keys/composing-key.ts';
import { WRITE } from '../../ui/keys/shortcuts.ts';
import { closedBy, useUsage } from '../../usage/use-usage.ts';
import { AttachButton } from './AttachButton.tsx';
import { compose, useComposing } from './composing.ts';
import { isTooLong } from './longest.ts';
import { ModelPicker, useModelChoice } from './ModelPicker.tsx';
import { SendOrStop } from './SendOrStop.tsx';
import { TokenMeter } from './TokenMeter.tsx';
import type { LiveTurn } from '../turns/turn-state.ts';

const AttachedFiles = lazy(async () => {
  const [{ AttachedFiles }] = await Promise.all([import('../files/AttachedFiles.tsx'), loadWords('files')]);
  return { default: AttachedFiles };
});

/**
 * Enter sends, Shift+Enter begins a line, Escape stops the answer.
 * @param place what is open; a new chat keeps its own when it becomes a conversation.
 * @param running the turn of this conversation that is running.
 */
export function Composer({
  place,
  conversationId,
  running,
  onSend,
  onStop,
}: {
  place: string;
  conversationId: string | null;
  running: LiveTurn | null;
  onSend: (message: string) => void;
  onStop: (turnId: string) => void;
}) {
  const { t } = useTranslation('chat');
  const { draft, files } = useComposing(conversationId);
  const { seesImages } = useModelChoice();
  const { data: usage } = useUsage();
  const field = useRef<HTMLTextAreaElement>(null);
  useFocus(field, place);
  const closed = closedBy(usage);
  const tooLong = isTooLong(draft);
  const canShow = files.every(({ file, isImage }) => file !== null && (!isImage || seesImages));
  const ready = draft.trim() !== '' && canShow && !tooLong && closed === null && running === null;
  const send = () => {
    if (ready) onSend(draft.trim());
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While a Korean syllable is being composed, Enter only completes it.
    if (isComposingKey(event.nativeEvent)) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape' && running !== null) {
      event.preventDefault();
      onStop(running.turnId);
    }
  };
  /** What is pasted or dropped is attached, whatever else it is. @returns whether there was a file. */
  const take = (given: FileList): boolean => {
    const chosen = [...given];
    if (chosen.length > 0) void import('../files/attach.ts').then(({ attach }) => attach(conversationId, chosen));
    return chosen.length > 0;
  };
  const reason = closed !== null ? t(`closed.${closed}.reason`) : tooLong ? t('tooLong') : null;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onPaste={(event) => take(event.clipboardData.files)}
      onDragOver={(event) => {
        if (event.dataTransfer.types.includes('Files')) event.preventDefault();
      }}
      onDrop={(event) => {
        if (take(event.dataTransfer.files)) event.preventDefault();
      }}
      className="min-w-0 rounded-2xl border border-line bg-raised shadow-sm focus-within:border-accent/60"
    >
      <label htmlFor="composer" className="sr-only">
        {t('message')}
      </label>
      {files.length > 0 && (
        <Suspense fallback={<div className="h-20" />}>
          <AttachedFiles conversationId={conversationId} />
        </Suspense>
      )}
      <textarea
        id="composer"
        ref={field}
        value={draft}
        rows={1}
        enterKeyHint="send"
        onChange={(event) => compose(conversationId, { draft: event.target.value })}
        onKeyDown={onKeyDown}
        placeholder={closed === null ? t('placeholder') : t(`closed.${closed}.placeholder`)}
        aria-invalid={tooLong}
        aria-describedby={reason === null ? 'composer-keys' : 'composer-reason'}
        className="block field-sizing-content max-h-[calc(var(--seen,100dvh)*0.4)] min-h-13 w-full min-w-0 resize-none bg-transparent px-4 pt-3.5 pb-1 wrap-anywhere outline-none placeholder:text-faint"
      />
      {reason !== null && (
        <p id="composer-reason" className="px-4 pb-1.5 text-sm text-bad">
          {reason}
        </p>
      )}
      <div className="flex min-w-0 items-center gap-1 px-2 pb-2">
        <AttachButton onChoose={take} />
        <ModelPicker />
        <TokenMeter running={running} />
        <span id="composer-keys" className="sr-only">
          {t('keys')}
        </span>
        <SendOrStop
          running={running}
          ready={ready}
          onStop={(turnId) => {
            onStop(turnId);
            field.current?.focus();
          }}
        />
      </div>
    </form>
  );
}

/**
 * Focuses the field when a conversation opens, but not on a touch screen, where the keyboard would cover the
 * conversation.
 */
function useFocus(field: { readonly current: HTMLTextAreaElement | null }, place: string): void {
  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches && mayTakeFocus()) field.current?.focus();
  }, [field, place]);
  useEffect(() => {
    const focus = () => field.current?.focus();
    addEventListener(WRITE, focus);
    return () => removeEventListener(WRITE, focus);
  }, [field]);
}
