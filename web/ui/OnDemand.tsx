import { X } from 'lucide-react';
import { Suspense, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Boundary } from './Boundary.tsx';
import { Button } from './Button.tsx';
import { Problem } from './Problem.tsx';

/**
 * Shows something over the page whose code loads only then. Until it has loaded, and when loading fails, `closed` is in
 * its place; a failure is shown over the page, until it is dismissed where that is possible.
 */
export function OnDemand({
  closed,
  onClose,
  children,
}: {
  closed: ReactNode;
  onClose?: () => void;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <Boundary
      fallback={(error, again) => (
        <>
          {closed}
          <div className="fixed inset-x-3 top-16 z-50 ml-auto flex max-w-md animate-rise items-start gap-1 rounded-xl bg-raised p-1.5 shadow-float sm:inset-x-5">
            <div className="min-w-0 flex-1">
              <Problem error={error} onRetry={again} />
            </div>
            {onClose !== undefined && (
              <Button look="bare" size="icon" aria-label={t('dismiss')} onClick={onClose}>
                <X aria-hidden className="size-4" />
              </Button>
            )}
          </div>
        </>
      )}
    >
      <Suspense fallback={closed}>{children}</Suspense>
    </Boundary>
  );
}
