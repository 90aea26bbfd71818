import { useQuery } from '@tanstack/react-query';
import { FileText, ImageOff, LoaderCircle } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { accepted } from '../../api/api-error.ts';
import { authorizedFetch } from '../../session/fetch.ts';
import type { ShownFile } from '../composer/composing.ts';

/** The address of a file's bytes within this page, which alone has the right to ask for them. */
export function useFileUrl({ fileId }: Pick<ShownFile, 'fileId'>) {
  return useQuery({
    queryKey: ['file', fileId],
    staleTime: Infinity,
    gcTime: Infinity,
    queryFn: async () => {
      const response = await accepted(await authorizedFetch(`/api/files/${fileId}`));
      return URL.createObjectURL(await response.blob());
    },
  });
}

/** An image in the place that it will have, from before its bytes are there. */
export function Picture({ file, className }: { file: ShownFile; className: string }) {
  const { t } = useTranslation('files');
  const { data, error } = useFileUrl(file);
  if (data !== undefined) return <img src={data} alt={t('image', { name: file.name })} className={className} />;
  return (
    <span className={`${className} grid place-items-center bg-hover text-faint`}>
      {error === null ? (
        <LoaderCircle aria-label={t('counting')} className="size-4 animate-spin" />
      ) : (
        <ImageOff aria-label={t('gone', { name: file.name })} className="size-4" />
      )}
    </span>
  );
}

export function TextSheet({ isBusy = false }: { isBusy?: boolean }) {
  const Icon = isBusy ? LoaderCircle : FileText;
  return (
    <span className="grid size-12 shrink-0 place-items-center rounded-lg bg-hover text-soft">
      <Icon aria-hidden className={`size-5 ${isBusy ? 'animate-spin' : ''}`} />
    </span>
  );
}
