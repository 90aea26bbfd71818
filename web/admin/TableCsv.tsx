import { useMutation } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { download } from '../api/download.ts';
import { Button } from '../ui/Button.tsx';

/**
 * Saves the whole table, by its filter, as CSV.
 * @param query the table's, of which the page that shows does not matter.
 */
export function TableCsv({
  path,
  query,
}: {
  path: string;
  query: Readonly<Record<string, string | number | boolean | undefined>>;
}) {
  const { t } = useTranslation('admin-home');
  const { cursor: _cursor, limit: _limit, ...filter } = query;
  const params = new URLSearchParams(
    Object.entries(filter).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
  const save = useMutation({ mutationFn: () => download(`${path}?${params.toString()}`, 'text/csv') });
  return (
    <div className="flex flex-wrap items-center gap-3">
      <span role="status" className="text-xs text-faint empty:hidden">
        {save.isSuccess && t('csv.saved', { name: save.data })}
        {save.isError && t('csv.notSaved')}
      </span>
      <Button size="small" disabled={save.isPending} onClick={() => save.mutate()}>
        <Download aria-hidden className="size-4" />
        {t('csv.save')}
      </Button>
    </div>
  );
}
