import { useMutation } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { accepted } from '../../api/api-error.ts';
import { authorizedFetch } from '../../session/fetch.ts';
import { Button } from '../../ui/Button.tsx';

/** Downloads by a call, because the key goes in a header, which a plain link cannot send. */
export function CsvButton({ month }: { month: string | null }) {
  const { t } = useTranslation('usage');
  const [name, setName] = useState('');
  const save = useMutation({
    mutationFn: async () => {
      const response = await accepted(
        await authorizedFetch(
          `${location.origin}/api/ai-usage/history?by=turn${month === null ? '' : `&month=${month}`}`,
          { headers: { Accept: 'text/csv' } },
        ),
      );
      const fileName =
        /filename="?([^";]+)"?/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'turnkeeper.csv';
      const link = Object.assign(document.createElement('a'), {
        href: URL.createObjectURL(await response.blob()),
        download: fileName,
      });
      link.click();
      URL.revokeObjectURL(link.href);
      setName(fileName);
    },
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
