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

/** How a redrive stands; of one that is over, what came of its turns. */
export function RedriveStateLabel({ redrive }: { redrive: Schemas['Redrive'] }) {
  const { t } = useTranslation('admin');
  const outcome = outcomeOf(redrive);
  if (outcome !== null) return <StateLabel tone={OUTCOME[outcome]}>{t(`redrives.outcome.${outcome}`)}</StateLabel>;
  return <StateLabel tone={REDRIVE[redrive.state]}>{t(`redrives.stateOf.${redrive.state}`)}</StateLabel>;
}

const OUTCOME = { failed: 'bad', partly: 'warn', skipped: 'plain' } as const satisfies Record<string, Tone>;

/** Null: it is not over, or all that was run again went well. */
function outcomeOf({ state, progress }: Schemas['Redrive']): keyof typeof OUTCOME | null {
  const { completed, stopped, failed } = progress;
  if (state !== 'completed') return null;
  if (failed > 0) return completed + stopped === 0 ? 'failed' : 'partly';
  return completed + stopped === 0 ? 'skipped' : null;
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
