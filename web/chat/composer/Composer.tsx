import { ArrowUp, Square } from 'lucide-react';
import { useEffect, useRef, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { WRITE } from '../../ui/shortcuts.ts';
import { Button } from '../../ui/Button.tsx';
import { useUsage } from '../../usage/use-usage.ts';
import { compose, useComposing } from './composing.ts';
import { ModelPicker } from './ModelPicker.tsx';
import { TokenMeter } from './TokenMeter.tsx';
import type { LiveTurn } from '../turns/turn-state.ts';

const LONGEST = 32_000;

/**
 * Enter sends, Shift+Enter begins a line, Escape stops the answer.
 * @param running the turn of this conversation that is running.
 */
export function Composer({
  conversationId,
  running,
  onSend,
  onStop,
}: {
  conversationId: string | null;
  running: LiveTurn | null;
  onSend: (message: string) => void;
  onStop: (turnId: string) => void;
}) {
  const { t } = useTranslation('chat');
  const { draft } = useComposing(conversationId);
  const { data: usage } = useUsage();
  const field = useRef<HTMLTextAreaElement>(null);
  useFocus(field, conversationId);
  const blocked = usage?.canSend === false;
  const tooLong = draft.length > LONGEST && [...draft].length > LONGEST;
  const ready = draft.trim() !== '' && !tooLong && !blocked && running === null;
  const send = () => {
    if (ready) onSend(draft.trim());
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While a Korean syllable is being composed, Enter only completes it.
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape' && running !== null) {
      event.preventDefault();
      onStop(running.turnId);
    }
  };
  const reason = blocked ? t('blockedReason') : tooLong ? t('tooLong') : null;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      className="rounded-2xl border border-line bg-raised shadow-sm focus-within:border-accent/60"
    >
      <label htmlFor="composer" className="sr-only">
        {t('message')}
      </label>
      <textarea
        id="composer"
        ref={field}
        value={draft}
        rows={1}
        onChange={(event) => compose(conversationId, { draft: event.target.value })}
        onKeyDown={onKeyDown}
        placeholder={blocked ? t('blockedPlaceholder') : t('placeholder')}
        aria-invalid={tooLong}
        aria-describedby={reason === null ? 'composer-keys' : 'composer-reason'}
        className="block field-sizing-content max-h-[40dvh] min-h-13 w-full resize-none bg-transparent px-4 pt-3.5 pb-1 outline-none placeholder:text-faint"
      />
      <div className="flex items-center gap-1 px-2 pb-2">
        <ModelPicker />
        <TokenMeter running={running} />
        <span id="composer-keys" className="sr-only">
          {t('keys')}
        </span>
        {reason !== null && (
          <span id="composer-reason" className="truncate px-1 text-sm text-bad">
            {reason}
          </span>
        )}
        {running === null ? (
          <Button
            type="submit"
            look="primary"
            size="icon"
            className="ml-auto rounded-xl"
            disabled={!ready}
            aria-label={t('send')}
          >
            <ArrowUp aria-hidden className="size-5" />
          </Button>
        ) : (
          <Button
            size="icon"
            className="ml-auto rounded-xl"
            disabled={running.stopping}
            aria-label={t('stop')}
            aria-keyshortcuts="Escape"
            onClick={() => {
              onStop(running.turnId);
              field.current?.focus();
            }}
          >
            <Square aria-hidden className="size-3.5 fill-current" />
          </Button>
        )}
      </div>
    </form>
  );
}

/**
 * Focuses the field when a conversation opens, but not on a touch screen, where the keyboard would cover the
 * conversation.
 */
function useFocus(field: { readonly current: HTMLTextAreaElement | null }, conversationId: string | null): void {
  useEffect(() => {
    const focus = () => field.current?.focus();
    if (matchMedia('(pointer: fine)').matches) focus();
    addEventListener(WRITE, focus);
    return () => removeEventListener(WRITE, focus);
  }, [field, conversationId]);
}
