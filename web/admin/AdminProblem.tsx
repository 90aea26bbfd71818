import { useTranslation } from 'react-i18next';
import { ApiError } from '../api/api-error.ts';
import { Button } from '../ui/Button.tsx';
import { Notice } from '../ui/Notice.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useAddress } from './use-address.ts';

const FIELDS = [
  'from',
  'to',
  'userId',
  'adminId',
  'email',
  'model',
  'target',
  'action',
  'state',
  'code',
  'conversationId',
  'provider',
  'replayed',
  'suspended',
  'cursor',
] as const;

/** What went wrong with a page of the console. Where a filter was refused it names the filter, and takes it away. */
export function AdminProblem({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation(['admin-home', 'admin']);
  const [, setAddress] = useAddress();
  const refused = error instanceof ApiError && error.code === 'invalid_request' ? error.details['field'] : undefined;
  const field = FIELDS.find((name) => name === refused);
  if (field === undefined) return <Problem error={error} onRetry={onRetry} />;
  return (
    <Notice
      tone="bad"
      action={
        <Button size="small" onClick={() => setAddress({ [field === 'email' ? 'who' : field]: undefined })}>
          {t('admin:clear')}
        </Button>
      }
    >
      {t('fieldWrong', { field: t(`field.${field}`) })}
    </Notice>
  );
}
