import { AlertDialog } from 'radix-ui';
import type { ReactElement, ReactNode } from 'react';
import { Button } from '../Button.tsx';
import { Problem } from '../Problem.tsx';
import { DIALOG, OVERLAY } from './dialog-look.ts';

/**
 * Asks once more before something is done. The focus begins on what keeps things as they are, and nothing outside
 * closes it, nor anything at all while what was asked for is under way.
 * @param trigger the button that opens it; absent where it is drawn only while it is open.
 * @param doing what becomes of it, as a mutation tells.
 * @param toOpener gives the focus back; absent: to the trigger.
 * @param children what has to be chosen or said for it.
 */
export function ConfirmDialog({
  open = true,
  onOpenChange,
  trigger,
  title,
  lead,
  keep,
  act,
  look = 'danger',
  doing,
  toOpener,
  onConfirm,
  children,
}: {
  open?: boolean;
  onOpenChange: (open: boolean) => void;
  trigger?: ReactElement;
  title: string;
  lead: ReactNode;
  keep: string;
  act: string;
  look?: 'danger' | 'primary';
  doing: { readonly isPending: boolean; readonly error: unknown };
  toOpener?: (event: Event) => void;
  onConfirm: () => void;
  children?: ReactNode;
}) {
  return (
    <AlertDialog.Root open={open} onOpenChange={(opens) => (opens || !doing.isPending) && onOpenChange(opens)}>
      {trigger && <AlertDialog.Trigger asChild>{trigger}</AlertDialog.Trigger>}
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={OVERLAY} />
        <AlertDialog.Content className={DIALOG} {...(toOpener && { onCloseAutoFocus: toOpener })}>
          <AlertDialog.Title className="text-lg font-semibold break-words">{title}</AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="mt-2 grid gap-2 text-sm break-words text-soft">{lead}</div>
          </AlertDialog.Description>
          <form
            className="mt-4 grid gap-3"
            onSubmit={(event) => {
              event.preventDefault();
              // For React it is inside of what opened it, which may be a form.
              event.stopPropagation();
              onConfirm();
            }}
          >
            {children}
            {doing.error !== null && <Problem error={doing.error} />}
            <div className="mt-2 flex flex-wrap justify-end gap-2">
              <AlertDialog.Cancel asChild>
                <Button disabled={doing.isPending}>{keep}</Button>
              </AlertDialog.Cancel>
              <Button type="submit" look={look} disabled={doing.isPending}>
                {act}
              </Button>
            </div>
          </form>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
