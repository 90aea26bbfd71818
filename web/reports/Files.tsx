import { useMutation } from '@tanstack/react-query';
import { Download, Printer } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { download } from '../api/download.ts';
import { Button } from '../ui/Button.tsx';

/** A report as a file, and on paper. */
export function Files({ path }: { path: string }) {
  const { t } = useTranslation('reports');
  const save = useMutation({
    mutationFn: (format: 'pdf' | 'csv') => download(`${path}?format=${format}`, '*/*'),
  });
  return (
    <div className="flex flex-wrap items-center gap-2 print:hidden">
      <span role="status" className="text-xs text-faint empty:hidden">
        {save.isSuccess && t('saved', { name: save.data })}
        {save.isError && t('notSaved')}
      </span>
      {(['pdf', 'csv'] as const).map((format) => (
        <Button key={format} size="small" disabled={save.isPending} onClick={() => save.mutate(format)}>
          <Download aria-hidden className="size-4" />
          {t(format)}
        </Button>
      ))}
      <Button size="small" onClick={() => print()}>
        <Printer aria-hidden className="size-4" />
        {t('print')}
      </Button>
    </div>
  );
}
