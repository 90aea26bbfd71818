import { useMutation } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { download } from '../../api/download.ts';
import { Button } from '../../ui/Button.tsx';

export function CsvButton({ month }: { month: string | null }) {
  const { t } = useTranslation('usage-page');
  const [name, setName] = useState('');
  const save = useMutation({
    mutationFn: () => download(`/api/ai-usage/history?by=turn${month === null ? '' : `&month=${month}`}`, 'text/csv'),
    onSuccess: setName,
  });
  return (
    <div className="flex items-center gap-3">
      <span role="status" className="text-xs text-faint empty:hidden">
        {save.isSuccess && t('history.saved', { name })}
        {save.isError && t('history.notSaved')}
      </span>
      <Button size="small" disabled={save.isPending} onClick={() => save.mutate()}>
        <Download aria-hidden className="size-4" />
        {t('history.csv')}
      </Button>
    </div>
  );
}
