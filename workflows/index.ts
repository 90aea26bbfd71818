export { chatTurn } from './chat-turn.ts';
export { reconcile } from './reconcile.ts';
