import { X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useTranslation } from 'react-i18next';
import { Button } from '../Button.tsx';
import { DIALOG, OVERLAY } from '../dialog-look.ts';
import { useOpener } from './use-opener.ts';

/** ⌘ on Apple's keyboards, Ctrl on others. */
const COMMAND = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘' : 'Ctrl';
const SHORTCUTS = [
  ['search', [COMMAND, 'K']],
  ['new', [COMMAND, 'Shift', 'O']],
  ['send', ['Enter']],
  ['line', ['Shift', 'Enter']],
  ['stop', ['Esc']],
  ['list', ['↑', '↓']],
  ['this', ['?']],
] as const;

export function ShortcutList({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('shortcuts');
  const { t: common } = useTranslation();
  const toOpener = useOpener();
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className={OVERLAY} />
        <Dialog.Content className={`${DIALOG} max-h-[90dvh] overflow-y-auto`} onCloseAutoFocus={toOpener}>
          <Dialog.Close asChild>
            <Button look="bare" size="icon" aria-label={common('dismiss')} className="absolute top-3 right-3">
              <X aria-hidden className="size-4" />
            </Button>
          </Dialog.Close>
          <Dialog.Title className="pr-8 text-lg font-semibold">{t('title')}</Dialog.Title>
          <Dialog.Description className="mt-2 text-sm text-soft">{t('lead')}</Dialog.Description>
          <dl className="mt-4 divide-y divide-line">
            {SHORTCUTS.map(([name, keys]) => (
              <div key={name} className="flex items-center justify-between gap-4 py-2 text-sm">
                <dt>{t(`does.${name}`)}</dt>
                <dd className="flex shrink-0 gap-1">
                  {keys.map((key) => (
                    <kbd
                      key={key}
                      className="min-w-7 rounded-md border border-line bg-panel px-1.5 py-0.5 text-center font-sans text-xs"
                    >
                      {key}
                    </kbd>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
