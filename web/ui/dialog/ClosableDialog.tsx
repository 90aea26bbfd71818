import { X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../Button.tsx';
import { DIALOG, OVERLAY } from './dialog-look.ts';
import { useOpener } from './use-opener.ts';

/**
 * A dialog with a cross, drawn only while it is open.
 * @param className its width, where it is another than usual.
 * @param stays whether what lies outside leaves it open, so that nothing typed and no secret is lost by a slip.
 * @param isBusy whether it cannot be closed now.
 * @param toOpener gives the focus back; absent: to where it was when this dialog opened.
 */
export function ClosableDialog({
  title,
  lead,
  className = '',
  stays = false,
  isBusy = false,
  toOpener,
  onClose,
  children,
}: {
  title: string;
  lead: string;
  className?: string;
  stays?: boolean;
  isBusy?: boolean;
  toOpener?: (event: Event) => void;
  onClose: () => void;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const back = useOpener();
  return (
    <Dialog.Root open onOpenChange={(open) => !open && !isBusy && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className={OVERLAY} />
        <Dialog.Content
          onInteractOutside={(event) => stays && event.preventDefault()}
          onCloseAutoFocus={toOpener ?? back}
          className={`${DIALOG} ${className}`}
        >
          <Dialog.Close asChild>
            <Button look="bare" size="icon" aria-label={t('dismiss')} className="absolute top-3 right-3">
              <X aria-hidden className="size-4" />
            </Button>
          </Dialog.Close>
          <Dialog.Title className="pr-8 text-lg font-semibold break-words">{title}</Dialog.Title>
          <Dialog.Description className="mt-2 text-sm text-soft">{lead}</Dialog.Description>
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
