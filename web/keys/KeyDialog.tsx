import type { ComponentProps } from 'react';
import { ClosableDialog } from '../ui/dialog/ClosableDialog.tsx';

/** A dialog of this page. `toOpener` is the page's: one dialog may follow another. */
export function KeyDialog({
  children,
  ...rest
}: Omit<ComponentProps<typeof ClosableDialog>, 'className' | 'stays'> & { toOpener: (event: Event) => void }) {
  return (
    <ClosableDialog {...rest} stays className="sm:w-[min(34rem,calc(100vw-2rem))]">
      <div className="mt-5">{children}</div>
    </ClosableDialog>
  );
}
