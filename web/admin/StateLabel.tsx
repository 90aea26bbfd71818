import { useTranslation } from 'react-i18next';
import type { Schemas } from '../api/schemas.ts';
import { StateLabel, type Tone } from '../ui/StateLabel.tsx';

const TURN = {
  accepted: 'plain',
  running: 'busy',
  completed: 'good',
  stopped: 'plain',
  failed: 'bad',
  refused: 'warn',
} as const satisfies Record<Schemas['TurnState'], Tone>;

export function TurnStateLabel({ state }: { state: Schemas['TurnState'] }) {
  const { t } = useTranslation('admin');
  return <StateLabel tone={TURN[state]}>{t(`turns.stateOf.${state}`)}</StateLabel>;
}

const REDRIVE = {
  running: 'busy',
  paused: 'warn',
  cancelling: 'warn',
  completed: 'good',
  cancelled: 'plain',
} as const satisfies Record<Schemas['Redrive']['state'], Tone>;

export function RedriveStateLabel({ state }: { state: Schemas['Redrive']['state'] }) {
  const { t } = useTranslation('admin');
  return <StateLabel tone={REDRIVE[state]}>{t(`redrives.stateOf.${state}`)}</StateLabel>;
}

export type RedriveTurnState = Schemas['RedriveDetail']['turns']['items'][number]['state'];
const REDRIVE_TURN = {
  waiting: 'plain',
  running: 'busy',
  completed: 'good',
  stopped: 'plain',
  failed: 'bad',
  skipped: 'warn',
} as const satisfies Record<RedriveTurnState, Tone>;

export function RedriveTurnStateLabel({ state, over }: { state: RedriveTurnState; over: boolean }) {
  const { t } = useTranslation('admin');
  return (
    <StateLabel tone={REDRIVE_TURN[state]}>
      {state === 'waiting' && over ? t('redrives.notBegun') : t(`redrives.turnOf.${state}`)}
    </StateLabel>
  );
}
