import { useTranslation } from 'react-i18next';
import type { ShownFile } from '../composer/composing.ts';
import { Picture, TextSheet, useFileUrl } from './Picture.tsx';

/** The files of a question, above it. Each can be had back. */
export function ShownFiles({ files }: { files: readonly ShownFile[] }) {
  const { t } = useTranslation('files');
  return (
    <ul aria-label={t('attached')} className="mb-1.5 ml-auto flex max-w-[85%] flex-wrap justify-end gap-2">
      {files.map((file) => (
        <li key={file.fileId} className="min-w-0">
          <Shown file={file} />
        </li>
      ))}
    </ul>
  );
}

function Shown({ file }: { file: ShownFile }) {
  const { t } = useTranslation('files');
  const { data } = useFileUrl(file);
  const { name, width, height } = file;
  return (
    <a
      {...(data === undefined ? {} : { href: data })}
      download={name}
      title={name}
      aria-label={t('download', { name })}
      className="block max-w-full overflow-hidden rounded-xl border border-line bg-panel hover:border-accent/60"
    >
      {width === null || height === null ? (
        <span className="flex items-center gap-2 p-1.5 pr-3 text-sm">
          <TextSheet />
          <span className="max-w-48 truncate">{name}</span>
        </span>
      ) : (
        <Picture file={file} className="block h-32 max-w-full min-w-16 object-cover" />
      )}
    </a>
  );
}
