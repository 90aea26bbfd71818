import { FileChartColumn } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { useMe } from '../session/me.ts';
import { buttonClass } from '../ui/Button.tsx';
import { Page } from '../ui/Page.tsx';
import { History } from './history/History.tsx';
import { TryLevels } from './levels/TryLevels.tsx';
import { UsageFrame } from './UsageCard.tsx';
import { UsageFigures } from './UsageFigures.tsx';

export function UsagePage() {
  const { t } = useTranslation('usage');
  const { t: onPage } = useTranslation('usage-page');
  const { userId } = useMe();
  return (
    <Page
      title={t('title')}
      actions={
        <Link href="/usage/reports" className={buttonClass({ size: 'small' })}>
          <FileChartColumn aria-hidden className="size-4" />
          {onPage('reports')}
        </Link>
      }
    >
      <div className="grid grid-cols-1 gap-8">
        <UsageFrame label={t('cardDetailed')} className="p-6">
          {(usage) => <UsageFigures usage={usage} />}
        </UsageFrame>
        <TryLevels userId={userId} />
        <History />
      </div>
    </Page>
  );
}
