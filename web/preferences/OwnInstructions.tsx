import { useTranslation } from 'react-i18next';
import { InstructionsForm } from '../instructions/InstructionsForm.tsx';

/** What a person tells the model with each question, in all conversations. */
export function OwnInstructions() {
  const { t } = useTranslation('instructions');
  return (
    <section id="instructions" aria-labelledby="instructions-title" className="mt-12 max-w-xl">
      <h2 id="instructions-title" className="text-lg font-semibold">
        {t('title')}
      </h2>
      <p className="mt-1 mb-3 text-sm text-soft">{t('lead')}</p>
      <InstructionsForm conversationId={null} label={t('title')} />
    </section>
  );
}
