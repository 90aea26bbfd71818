import { SquarePen } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Conversations } from '../chat/conversations/Conversations.tsx';
import { Brand } from '../ui/Brand.tsx';
import { buttonClass } from '../ui/Button.tsx';
import { UsageCard } from '../usage/UsageCard.tsx';
import { WRITE } from '../ui/keys/shortcuts.ts';

/** @param onLeave called when another page is chosen, so that the drawer closes. */
export function Sidebar({ onLeave = () => {} }: { onLeave?: () => void }) {
  const { t } = useTranslation('chat');
  const begin = () => {
    onLeave();
    dispatchEvent(new Event(WRITE));
  };
  return (
    <div className="flex h-full flex-col gap-3 overflow-y-auto p-3">
      <div className="flex h-9 shrink-0 items-center px-2">
        <Link href="/" onClick={onLeave} className="rounded-lg">
          <Brand />
        </Link>
      </div>
      <Link
        href="/"
        onClick={begin}
        aria-keyshortcuts="Control+Shift+O"
        className={buttonClass({ look: 'quiet' }, 'shrink-0 hover:bg-hover')}
      >
        <SquarePen aria-hidden className="size-4" />
        {t('new')}
      </Link>
      <Conversations onLeave={onLeave} />
      <UsageCard onLeave={onLeave} />
    </div>
  );
}
