import { WifiOff } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { useFeed } from '../events/use-account-feed.ts';
import { liveTurns } from '../session/keep.ts';
import { subscribeOnline } from './online.ts';

/** Says quietly that the connection is lost: nothing is lost with it, and it comes back by itself. */
export function Connection() {
  const { t } = useTranslation();
  const online = useSyncExternalStore(subscribeOnline, () => navigator.onLine);
  const { state } = useFeed();
  const turns = liveTurns();
  const waiting = useSyncExternalStore(turns.subscribe, () =>
    turns.list().some(({ phase, connected }) => phase !== 'ended' && !connected),
  );
  return (
    <div role="status" aria-live="polite">
      {(!online || waiting || state === 'lost') && (
        <p className="flex items-center justify-center gap-2 border-b border-line bg-panel px-4 py-1.5 text-sm text-soft">
          <WifiOff aria-hidden className="size-4" />
          {online ? t('reconnecting') : t('offline')}
        </p>
      )}
    </div>
  );
}
