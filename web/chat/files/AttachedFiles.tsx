import { RotateCw, X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/Button.tsx';
import { sentenceOf } from '../../ui/Problem.tsx';
import { useComposing, type Attached } from '../composer/composing.ts';
import { useModelChoice } from '../composer/ModelPicker.tsx';
import { detach, sendAgain } from './attach.ts';
import { MostCost } from './MostCost.tsx';
import { Picture, TextSheet } from './Picture.tsx';

/** What the question will show, each to be taken out again, and what the question costs at most. */
export function AttachedFiles({ conversationId }: { conversationId: string | null }) {
  const { t } = useTranslation('files');
  const { t: common } = useTranslation();
  const { files } = useComposing(conversationId);
  const { model, seesImages } = useModelChoice();
  const isBlind = !seesImages && files.some(({ isImage }) => isImage);
  const problems = files.filter(({ problem }) => problem !== null);
  // What the page refuses itself has no sentence of the server.
  const said = (problem: Attached['problem']) => {
    const reason = problem?.details['reason'];
    return reason === 'count' ? t('tooMany') : reason === 'size' ? t('tooLarge') : sentenceOf(problem, common);
  };
  return (
    <div className="px-3 pt-3">
      <ul aria-label={t('attached')} className="flex max-h-[30dvh] flex-wrap gap-2 overflow-y-auto">
        {files.map((attached) => (
          <Chip key={attached.key} attached={attached} conversationId={conversationId} />
        ))}
      </ul>
      <div role="status" className="mt-2 text-sm">
        {problems.map(({ key, name, problem }) => (
          <p key={key} className="text-bad wrap-anywhere">
            {name}: {said(problem)}
          </p>
        ))}
        {isBlind ? (
          <p className="text-bad">{t('blind', { model })}</p>
        ) : (
          problems.length === 0 && <MostCost conversationId={conversationId} />
        )}
      </div>
    </div>
  );
}

function Chip({ attached, conversationId }: { attached: Attached; conversationId: string | null }) {
  const { t } = useTranslation('files');
  const { key, name, file, problem } = attached;
  const isSending = file === null && problem === null;
  return (
    <li
      className={`flex max-w-full items-center gap-2 rounded-xl border bg-panel p-1.5 pr-0.5 ${problem === null ? 'border-line' : 'border-bad/50'}`}
    >
      {file !== null && file.width !== null ? (
        <Picture file={file} className="size-12 rounded-lg object-cover" />
      ) : (
        <TextSheet isBusy={isSending} />
      )}
      <div className="min-w-0">
        <p className="max-w-40 truncate text-xs">{name}</p>
        {isSending && <progress aria-label={t('sending', { name })} className="h-1 w-24 accent-accent-fill" />}
      </div>
      {problem !== null && problem.status !== 422 && (
        <Button look="bare" size="icon" aria-label={t('again', { name })} onClick={() => sendAgain(key)}>
          <RotateCw aria-hidden className="size-4" />
        </Button>
      )}
      <Button
        look="bare"
        size="icon"
        aria-label={t('remove', { name })}
        onClick={() => {
          detach(conversationId, attached);
          document.getElementById('composer')?.focus();
        }}
      >
        <X aria-hidden className="size-4" />
      </Button>
    </li>
  );
}
