import { useTranslation } from 'react-i18next';
import { InstructionsForm } from '../../instructions/InstructionsForm.tsx';
import { ClosableDialog } from '../../ui/dialog/ClosableDialog.tsx';

/** What a person tells the model with each question of one conversation. */
export function InstructionsDialog({ conversationId, onClose }: { conversationId: string; onClose: () => void }) {
  const { t } = useTranslation('instructions');
  return (
    <ClosableDialog title={t('ofConversation.title')} lead={t('ofConversation.lead')} stays onClose={onClose}>
      <div className="mt-4">
        <InstructionsForm conversationId={conversationId} label={t('ofConversation.title')} />
      </div>
    </ClosableDialog>
  );
}
