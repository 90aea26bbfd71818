import { useTranslation } from 'react-i18next';
import type { Schemas } from '../api/schemas.ts';

const LOOK = {
  accepted: 'bg-panel text-soft', running: 'bg-accent-tint text-accent', completed: 'bg-good-tint text-good', stopped: 'bg-panel text-soft', failed: 'bg-bad-tint text-bad', refused: 'bg-warn-tint text-warn',
} as const satisfies Record<Schemas['TurnState'], string>;

export function StateWord({ state }: { state: Schemas['TurnState'] }) {
  const { t } = useTranslation('admin');
  return <span className={`inline-block rounded-full px-2.5 py-0.5 text-xs font-medium whitespace-nowrap ${LOOK[state]}`}>{t(`turns.stateOf.${state}`)}</span>;
}
