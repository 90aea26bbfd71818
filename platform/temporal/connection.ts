import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type WorkflowClientInterceptor } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, type NativeConnectionOptions } from '@temporalio/worker';
import { SetupError } from '../../domain/setup-error.ts';
import { traceHeaders } from '../../workflows/contract/trace.ts';
import type { CodecSettings } from '../config/codec-settings.ts';
import { within } from '../deadline.ts';
import { NO_TRACING, type Tracing } from '../telemetry/span.ts';
import { dataConverterOf } from './codec.ts';

/**
 * Client and worker share one connection: only so can a start hand its first workflow task to the worker of the same
 * process.
 */
export interface Temporal {
  readonly connection: NativeConnection;
  readonly client: Client;
  readonly namespace: string;
  /** How the client and the workers write and read what Temporal keeps. */
  readonly dataConverter: DataConverter;
  close(): Promise<void>;
}

/**
 * TLS, API key and profile are read from Temporal's official environment variables (`TEMPORAL_TLS…`,
 * `TEMPORAL_API_KEY`, `TEMPORAL_PROFILE`).
 * @throws SetupError when no server answers within 10 s, with the reason: a certificate may be wrong.
 */
export async function connectTemporal(
  options: {
    address: string | undefined;
    namespace: string;
    codec: CodecSettings | null;
    env: Record<string, string>;
  },
  tracing: Tracing = NO_TRACING,
): Promise<Temporal> {
  const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: options.env });
  const address = options.address ?? connectionOptions.address ?? '127.0.0.1:7233';
  // Payloads are a few ids. Compressing them costs 1.6 ms of CPU a turn and saves nothing.
  const wanted: NativeConnectionOptions = { ...connectionOptions, address, grpcCompression: { codec: 'none' } };
  const connection = await connectWithin(wanted, 10_000);
  const used = namespace ?? options.namespace;
  const dataConverter = dataConverterOf(options.codec);
  const interceptors = tracing.on ? { workflow: [carryTrace(tracing)] } : {};
  return {
    connection,
    client: new Client({ connection, namespace: used, interceptors, dataConverter }),
    namespace: used,
    dataConverter,
    close: () => connection.close(),
  };
}

/** A workflow gets the trace of whoever starts it. */
function carryTrace(tracing: Tracing): WorkflowClientInterceptor {
  return {
    start: (input, next) =>
      tracing.child(`temporal start ${input.workflowType}`, { kind: 'client' }, () =>
        next({ ...input, headers: { ...input.headers, ...traceHeaders(tracing.current()) } }),
      ),
  };
}

/** A connection that is taken and never answered is given up, and another one tried. */
const ONE_TRY_MS = 4_000;

async function connectWithin(options: NativeConnectionOptions, milliseconds: number): Promise<NativeConnection> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    try {
      return await within(ONE_TRY_MS, NativeConnection.connect(options));
    } catch (cause) {
      if (Date.now() > deadline) {
        const address = options.address ?? 'the default address';
        const reason = cause instanceof Error ? cause.message : 'no reason was given';
        throw new SetupError(`TEMPORAL_ADDRESS: no Temporal server answers at ${address} (${reason}).`, { cause });
      }
      await sleep(250);
    }
  }
}
