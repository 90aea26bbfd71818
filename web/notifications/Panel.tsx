import { Popover } from 'radix-ui';
import type { ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Problem } from '../ui/Problem.tsx';
import { BuyButton } from '../usage/BuyButton.tsx';
import { useFigures } from '../usage/figures.ts';
import { LEVEL_LOOK } from '../usage/levels/level-look.ts';
import { bodyOf } from './body.ts';
import { useMarkRead, useNotifications, type Notification } from './use-notifications.ts';

export function Panel({ button, onClose }: { button: ReactElement; onClose: () => void }) {
  const { t } = useTranslation();
  const list = useNotifications();
  const mark = useMarkRead();
  const newest = list.data?.items[0];
  return (
    <Popover.Root
      defaultOpen
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Popover.Trigger asChild>{button}</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={6}
          collisionPadding={12}
          aria-label={t('bell.label')}
          className="z-50 flex max-h-[min(34rem,80dvh)] w-[min(24rem,calc(100vw-1.5rem))] animate-rise flex-col rounded-xl border border-line bg-raised shadow-float outline-none"
        >
          <div className="flex items-center justify-between border-b border-line px-4 py-2.5">
            <h2 className="font-semibold">{t('bell.label')}</h2>
            <Button
              look="bare"
              size="small"
              disabled={(list.data?.unreadCount ?? 0) === 0 || mark.isPending}
              onClick={() => mark.mutate(null)}
            >
              {t('bell.readAll')}
            </Button>
          </div>
          <div className="overflow-y-auto p-1.5">
            {list.isPending && <Loading />}
            {list.isError && <Problem error={list.error} onRetry={() => void list.refetch()} />}
            {list.data?.items.length === 0 && (
              <p className="px-4 py-10 text-center text-sm text-faint">{t('bell.none')}</p>
            )}
            <ul>
              {list.data?.items.map((item) => (
                <li key={item.id}>
                  <Item item={item} onRead={() => mark.mutate(item.id)} />
                </li>
              ))}
            </ul>
          </div>
          {newest !== undefined && (
            <div className="border-t border-line p-2.5 empty:hidden">
              <BuyButton url={newest.purchaseUrl} place="panel" onGo={onClose} className="w-full" />
            </div>
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Item({ item, onRead }: { item: Notification; onRead: () => void }) {
  const { t } = useTranslation();
  const { moment } = useFigures();
  const { icon: Icon, ink } = LEVEL_LOOK[item.level];
  const isNew = item.readAt === null;
  return (
    <article className={`flex gap-3 rounded-lg p-3 ${isNew ? 'bg-panel' : ''}`}>
      <Icon aria-hidden className={`mt-0.5 size-4.5 shrink-0 ${ink}`} />
      <div className="grid min-w-0 flex-1 gap-1.5 text-sm">
        <h3 className={isNew ? 'font-semibold' : ''}>
          {item.title}
          {isNew && <span className="sr-only"> ({t('bell.new')})</span>}
        </h3>
        <p className="whitespace-pre-line text-soft">{bodyOf(item)}</p>
        <p className="text-xs text-faint">{moment(item.createdAt)}</p>
        {isNew && (
          <Button look="bare" size="small" className="-ml-3 justify-self-start" onClick={onRead}>
            {t('bell.read')}
          </Button>
        )}
      </div>
    </article>
  );
}
