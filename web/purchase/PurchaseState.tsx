import { useTranslation } from 'react-i18next';
import { StateLabel, type Tone } from '../ui/StateLabel.tsx';
import type { PurchaseState } from './queries.ts';

const TONE = {
  created: 'plain',
  pending: 'busy',
  awaiting_deposit: 'busy',
  paid: 'good',
  partially_refunded: 'good',
  refunded: 'plain',
  disputed: 'warn',
  failed: 'bad',
  expired: 'plain',
  mismatch: 'warn',
} as const satisfies Record<PurchaseState, Tone>;

export function PurchaseStateLabel({ state }: { state: PurchaseState }) {
  const { t } = useTranslation('purchase');
  return <StateLabel tone={TONE[state]}>{t(`state.${state}`)}</StateLabel>;
}
