import { useTranslation } from 'react-i18next';
import { Problem } from '../ui/Problem.tsx';
import { Page } from '../ui/Page.tsx';

interface FailedProps {
  readonly error: unknown;
  readonly onRetry: () => void;
}

/** Shows in place of a page that could not be drawn; what surrounds it still works. */
export function FailedPage({ error, onRetry }: FailedProps) {
  const { t } = useTranslation();
  return (
    <Page title={t('problem.title')}>
      <Problem error={error} onRetry={onRetry} />
    </Page>
  );
}

/** Shows in place of the whole app. */
export function FailedApp({ error, onRetry }: FailedProps) {
  const { t } = useTranslation();
  return (
    <main className="mx-auto max-w-md p-10">
      <h1 className="mb-4 text-xl font-semibold">{t('problem.title')}</h1>
      <Problem error={error} onRetry={onRetry} />
    </main>
  );
}
