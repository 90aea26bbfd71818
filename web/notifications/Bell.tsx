import { Bell as BellIcon } from 'lucide-react';
import { lazy, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { OnDemand } from '../ui/OnDemand.tsx';
import { useNotifications } from './use-notifications.ts';

const loadPanel = () => import('./Panel.tsx');
const Panel = lazy(() => loadPanel().then(({ Panel }) => ({ default: Panel })));

/** Shows the number of unread notifications; opening it loads the list. */
export function Bell() {
  const { t } = useTranslation();
  const { data } = useNotifications();
  const [open, setOpen] = useState(false);
  const unread = data?.unreadCount ?? 0;
  const button = (
    <Button
      look="bare"
      size="icon"
      className="relative"
      aria-haspopup="dialog"
      aria-label={unread === 0 ? t('bell.label') : t('bell.unread', { count: unread })}
      onPointerEnter={() => void loadPanel().catch(() => {})}
      onClick={() => setOpen(true)}
    >
      <BellIcon aria-hidden className="size-5" />
      {unread > 0 && (
        <span
          aria-hidden
          data-count={unread > 99 ? '99+' : unread}
          className="absolute -top-0.5 -right-0.5 min-w-4.5 rounded-full bg-bad-fill px-1 text-center text-[11px] leading-4.5 font-semibold text-white tabular-nums before:content-[attr(data-count)]"
        />
      )}
    </Button>
  );
  const close = () => setOpen(false);
  return open ? (
    <OnDemand closed={button} onClose={close}>
      <Panel button={button} onClose={close} />
    </OnDemand>
  ) : (
    button
  );
}
