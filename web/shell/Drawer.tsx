import { Dialog } from 'radix-ui';
import { useTranslation } from 'react-i18next';
import { isComposingKey } from '../ui/keys/composing-key.ts';
import { OVERLAY } from '../ui/dialog/dialog-look.ts';
import { useOpener } from '../ui/dialog/use-opener.ts';
import { Sidebar } from './Sidebar.tsx';

export function Drawer({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog.Root
      defaultOpen
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Dialog.Portal>
        <Dialog.Overlay className={`${OVERLAY} lg:hidden`} />
        <Dialog.Content
          aria-describedby={undefined}
          onCloseAutoFocus={useOpener()}
          onEscapeKeyDown={(event) => {
            if (isComposingKey(event)) event.preventDefault();
          }}
          className="fixed inset-y-0 left-0 z-50 w-[min(20rem,86vw)] border-r border-line bg-panel shadow-float outline-none lg:hidden"
        >
          <Dialog.Title className="sr-only">{t('sidebar')}</Dialog.Title>
          <Sidebar onLeave={onClose} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
