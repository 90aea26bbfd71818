// What the time limit of a call into a vm context costs: with `timeout`, Node starts a thread with an event loop of its
// own for each call, and ends it. `node watchdog-threads.mjs`; @temporalio/worker enters a workflow's context so.
import vm from 'node:vm';

const CALLS = 3_000;
const context = vm.createContext({}, { microtaskMode: 'afterEvaluate' });
const script = new vm.Script('1 + 1');

function cpuOf(options) {
  for (let call = 0; call < 300; call += 1) script.runInContext(context, options);
  const before = process.cpuUsage();
  for (let call = 0; call < CALLS; call += 1) script.runInContext(context, options);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / CALLS;
}

const rounds = Array.from({ length: 5 }, () => [cpuOf({ timeout: 3_000 }), cpuOf({})]);
const median = (values) => values.toSorted((a, b) => a - b)[2];
const [limited, free] = [0, 1].map((which) => median(rounds.map((round) => round[which])));
console.log(`CPU a call: ${limited.toFixed(0)} µs with a time limit, ${free.toFixed(1)} µs without`);
console.log(`a turn of 15 calls: ${((15 * (limited - free)) / 1_000).toFixed(2)} ms for watchdogs`);
