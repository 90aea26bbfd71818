import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { useFigures } from './figures.ts';
import type { Usage } from './use-usage.ts';

/** @returns a function that says in turns what is left: "약 8번 더 대화할 수 있어요". */
export function useLeft(): (usage: Pick<Usage, 'estimatedTurns' | 'canSend' | 'suspended'>) => string {
  const { t } = useTranslation('usage');
  const { tokens } = useFigures();
  return useCallback(
    ({ estimatedTurns, canSend, suspended }) => {
      if (suspended) return t('left.suspended');
      if (!canSend) return t('left.none');
      return estimatedTurns === 0
        ? t('left.few')
        : t('left.turns', { count: estimatedTurns, n: tokens(estimatedTurns) });
    },
    [t, tokens],
  );
}
