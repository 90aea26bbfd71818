import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { sentenceOf } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { branchOf } from '../branches/shown-branch.ts';
import { useComposing } from '../composer/composing.ts';
import { useModelChoice } from '../composer/ModelPicker.tsx';
import { useSettled } from '../composer/use-settled.ts';

/** A pause in writing, after which the figure is asked for anew. */
const SETTLED_MS = 600;

/** What the question costs at most, by the server's own rule, before it is sent. */
export function MostCost({ conversationId }: { conversationId: string | null }) {
  const { t } = useTranslation('files');
  const { t: common } = useTranslation();
  const { tokens } = useFigures();
  const { draft, files } = useComposing(conversationId);
  const { model } = useModelChoice();
  const message = useSettled(draft.trim(), SETTLED_MS);
  const fileIds = files.flatMap(({ file }) => file?.fileId ?? []);
  const isWhole = fileIds.length === files.length;
  const branch = conversationId === null ? null : branchOf(conversationId);
  const estimate = useQuery({
    queryKey: ['estimate', conversationId, branch, model, message, fileIds],
    enabled: isWhole && model !== null,
    placeholderData: keepPreviousData,
    queryFn: () =>
      answer(
        api.POST('/api/chat/estimate', {
          body: {
            // Nothing is written yet: a question has at least a word.
            message: message === '' ? '?' : message,
            files: fileIds,
            ...(model === null ? {} : { model }),
            ...(conversationId === null ? {} : { conversationId }),
          },
        }),
      ),
  });
  if (!isWhole) return <p className="text-faint">{t('preparing')}</p>;
  if (estimate.error !== null) return <p className="text-bad">{sentenceOf(estimate.error, common)}</p>;
  const { data } = estimate;
  if (data === undefined) return <p className="text-faint">{t('counting')}</p>;
  if (data.refusal === 'context_length') return <p className="text-bad">{t('tooLong')}</p>;
  const figures = { most: tokens(data.mostTokens), files: tokens(data.fileTokens) };
  return (
    <>
      <p className="text-soft tabular-nums">{t('most', figures)}</p>
      {data.refusal !== null && <p className="text-bad">{t(`refusal.${data.refusal}`)}</p>}
    </>
  );
}
