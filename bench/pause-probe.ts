import { createServer } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a process by `--import=…/pause-probe.ts?port=N`. Each request to that port answers the longest pause of
 * the event loop since the one before, in milliseconds.
 */
const RESOLUTION_MS = 1;
const port = Number(new URL(import.meta.url).searchParams.get('port'));
// Threads have event loops of their own, and they stop nobody.
if (isMainThread && port > 0) {
  const pauses = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  pauses.enable();
  createServer((_request, response) => {
    response.end(String(Math.max(0, pauses.max / 1e6 - RESOLUTION_MS)));
    pauses.reset();
  })
    .listen(port, '127.0.0.1')
    .unref();
}
