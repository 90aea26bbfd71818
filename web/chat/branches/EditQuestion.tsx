import { use, useEffect, useRef, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/Button.tsx';
import { isComposingKey } from '../../ui/keys/composing-key.ts';
import { compose, editOf, useComposing } from '../composer/composing.ts';
import { isTooLong } from '../composer/longest.ts';
import type { Message } from '../transcript/rows.ts';
import { AskAnewContext } from './AskAnew.tsx';
import { useHindrance } from './hindrance.ts';

/**
 * Writes a question anew. Enter sends, Shift+Enter begins a line, Escape leaves it as it was. What is written stays
 * when the page is left or reloaded.
 */
export function EditQuestion({
  message: { turnId, parentTurnId, content },
  conversationId,
  onClose,
}: {
  message: Message;
  conversationId: string;
  onClose: () => void;
}) {
  const { t } = useTranslation('chat');
  const ask = use(AskAnewContext);
  const key = editOf(turnId);
  const { draft } = useComposing(key);
  const hindrance = useHindrance(conversationId);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.setSelectionRange(-1, -1);
  }, []);
  const tooLong = isTooLong(draft);
  const ready = draft.trim() !== '' && !tooLong && hindrance === null;
  const close = () => {
    compose(key, { draft: '', unsent: null });
    onClose();
  };
  const send = () => {
    if (!ready) return;
    ask(draft.trim(), { turnId, parentTurnId, edited: true });
    onClose();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While a Korean syllable is being composed, Enter and Escape only complete it.
    if (isComposingKey(event.nativeEvent)) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape') {
      event.preventDefault();
      close();
    }
  };
  const reason = hindrance !== null ? t(`hindered.${hindrance}`) : tooLong ? t('tooLong') : t('edit.lead');
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      className="ml-auto w-full rounded-2xl border border-line bg-raised p-2 focus-within:border-accent/60 sm:max-w-[85%]"
    >
      <label className="sr-only" htmlFor={key}>
        {t('edit.label')}
      </label>
      <textarea
        id={key}
        ref={field}
        dir="auto"
        value={draft}
        rows={2}
        enterKeyHint="send"
        placeholder={content}
        aria-invalid={tooLong}
        aria-describedby={`${key}.reason`}
        onChange={(event) => compose(key, { draft: event.target.value })}
        onKeyDown={onKeyDown}
        className="block field-sizing-content max-h-[40dvh] w-full min-w-0 resize-none bg-transparent px-2 py-1.5 wrap-anywhere outline-none"
      />
      <div className="flex flex-wrap items-center justify-end gap-2">
        <p id={`${key}.reason`} role="status" className="flex-1 px-2 text-xs text-soft max-sm:basis-full">
          {reason}
        </p>
        <Button size="small" onClick={close}>
          {t('edit.cancel')}
        </Button>
        <Button size="small" type="submit" look="primary" disabled={!ready}>
          {t('send')}
        </Button>
      </div>
    </form>
  );
}
