export { adminStats } from './admin-stats.ts';
export { allowanceReset } from './allowance-reset.ts';
export { chatTurn } from './chat-turn.ts';
export { reconcile } from './reconcile.ts';
export { redriveTurns } from './redrive-turns.ts';
export { repairSchedules } from './repair-schedules.ts';
export { usageAlert } from './usage-alert.ts';
