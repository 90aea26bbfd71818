// What it costs that every promise of a workflow keeps a stack trace with source maps, in case somebody asks for
// `__stack_trace`. Replays one history with the SDK as it is, and with its promise hook never installed.
// `node docs/upstream/promise-stacks.mjs` from the repository's root.
import { createRequire } from 'node:module';
import { Worker, Runtime, DefaultLogger } from '@temporalio/worker';
import { bundleWorkflows } from '../../worker/bundle.ts';
import { readRecorded, toHistory } from '../../test/replay/recorded.ts';

const HISTORIES = 100;
const ROUNDS = 7;
Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR') });
const workflowBundle = await bundleWorkflows();
const { history } = readRecorded().find(({ file }) => file.startsWith('chatTurn/answered.'));
const { globalHandlers } = createRequire(import.meta.resolve('@temporalio/worker'))('./workflow/vm-shared.js');

/** Workflows run in this thread (`debugMode`), so that the hook can be taken away between two rounds. */
async function cpuOf(isHooked) {
  if (isHooked) globalHandlers.install();
  else if (globalHandlers.installed) globalHandlers.uninstall();
  globalHandlers.installed = true;
  const before = process.cpuUsage();
  const all = Array.from({ length: HISTORIES }, (_, n) => ({ workflowId: `w${n}`, history: toHistory(history) }));
  for await (const { error } of Worker.runReplayHistories({ workflowBundle, debugMode: true }, all))
    if (error !== undefined) throw error;
  const { user, system } = process.cpuUsage(before);
  globalHandlers.installed = isHooked;
  return (user + system) / 1_000 / HISTORIES;
}

const rounds = [];
for (let round = 0; round < ROUNDS; round += 1) rounds.push([await cpuOf(true), await cpuOf(false)]);
const median = (values) => values.toSorted((a, b) => a - b)[(ROUNDS - 1) / 2];
const [hooked, bare] = [0, 1].map((which) => median(rounds.map((round) => round[which])));
console.log(`CPU a replayed turn: ${hooked.toFixed(2)} ms with the hook, ${bare.toFixed(2)} ms without`);
process.exit(0);
