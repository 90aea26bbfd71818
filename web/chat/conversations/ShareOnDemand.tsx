import { lazy } from 'react';
import { loadWords } from '../../i18n/language.ts';
import { OnDemand } from '../../ui/OnDemand.tsx';

const ShareDialog = lazy(async () => {
  const [{ ShareDialog }] = await Promise.all([import('./ShareDialog.tsx'), loadWords('sharing')]);
  return { default: ShareDialog };
});

/** @param turnId the turn up to which to share; null: the newest answered one. */
export function ShareOnDemand(props: { conversationId: string; turnId: string | null; onClose: () => void }) {
  return (
    <OnDemand closed={null} onClose={props.onClose}>
      <ShareDialog {...props} />
    </OnDemand>
  );
}
