import { createContext, lazy, use, useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { FeedContext, useAccountFeed } from '../events/use-account-feed.ts';
import { loadWords } from '../i18n/language.ts';
import { PopUp } from '../notifications/PopUp.tsx';
import { OnDemand } from '../ui/OnDemand.tsx';
import { Connection } from './Connection.tsx';
import { Heard } from './Heard.tsx';
import { Sidebar } from './Sidebar.tsx';
import { SHORTCUTS, useShortcuts } from '../ui/keys/shortcuts.ts';

const ShortcutList = lazy(async () => {
  const [{ ShortcutList }] = await Promise.all([import('../ui/keys/ShortcutList.tsx'), loadWords('shortcuts')]);
  return { default: ShortcutList };
});
const Drawer = lazy(() => import('./Drawer.tsx').then(({ Drawer }) => ({ default: Drawer })));

const DrawerContext = createContext<{ open: boolean; setOpen: (open: boolean) => void }>({
  open: false,
  setOpen: () => {},
});

/** The drawer, which holds the sidebar where the screen has no room for it. */
export function useDrawer() {
  return use(DrawerContext);
}

/** Whether the page is one of the admins' console, which has a layout of its own. */
export function useIsConsole(): boolean {
  const [location] = useLocation();
  return /^\/admin(\/|$)/.test(location);
}

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const isConsole = useIsConsole();
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  const [listed, setListed] = useState(false);
  useShortcuts();
  useEffect(() => {
    const list = () => setListed(true);
    addEventListener(SHORTCUTS, list);
    return () => removeEventListener(SHORTCUTS, list);
  }, []);
  const feed = useAccountFeed();
  return (
    <FeedContext value={feed}>
      <DrawerContext value={{ open, setOpen }}>
        <a
          href="#page"
          className="sr-only z-50 rounded-lg bg-accent-fill px-4 py-2 text-white focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
        >
          {t('skip')}
        </a>
        <div className="flex h-full">
          {!isConsole && (
            <aside aria-label={t('sidebar')} className="hidden w-72 shrink-0 border-r border-line bg-panel lg:block">
              <Sidebar />
            </aside>
          )}
          <div id="page" tabIndex={-1} className="flex min-w-0 flex-1 flex-col outline-none [container:page/size]">
            <Connection />
            <PopUp />
            {children}
          </div>
        </div>
        <Heard feed={feed.state} />
        {listed && (
          <OnDemand closed={null} onClose={() => setListed(false)}>
            <ShortcutList onClose={() => setListed(false)} />
          </OnDemand>
        )}
        {open && (
          <OnDemand closed={null} onClose={close}>
            <Drawer onClose={close} />
          </OnDemand>
        )}
      </DrawerContext>
    </FeedContext>
  );
}
