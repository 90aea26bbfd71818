import { X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { DIALOG, OVERLAY } from '../ui/dialog-look.ts';

/**
 * A dialog of this page. What lies outside does not close it, so that nothing typed and no secret is lost by a slip.
 */
export function KeyDialog({
  title,
  lead,
  isBusy = false,
  onClose,
  children,
}: {
  title: string;
  lead: string;
  isBusy?: boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <Dialog.Root open onOpenChange={(open) => !open && !isBusy && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className={OVERLAY} />
        <Dialog.Content
          onInteractOutside={(event) => event.preventDefault()}
          className={`${DIALOG} max-h-[90dvh] overflow-y-auto sm:w-[min(34rem,calc(100vw-2rem))]`}
        >
          <Dialog.Close asChild>
            <Button look="bare" size="icon" aria-label={t('dismiss')} className="absolute top-3 right-3">
              <X aria-hidden className="size-4" />
            </Button>
          </Dialog.Close>
          <Dialog.Title className="pr-8 text-lg font-semibold break-words">{title}</Dialog.Title>
          <Dialog.Description className="mt-2 text-sm text-soft">{lead}</Dialog.Description>
          <div className="mt-5">{children}</div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
