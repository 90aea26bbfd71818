import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../scripts/services/port.ts';
import { launch, type Service, type ServiceContext } from '../../scripts/services/service.ts';
import { MODEL } from '../contenders.ts';
import { installPython } from '../python.ts';

/**
 * LiteLLM's proxy in front of the fake model: one worker, no database, so without budgets. Its engine for PostgreSQL
 * comes from a server of its own, which no package registry has.
 * @throws SetupError when it cannot be installed.
 */
export async function startLitellm(context: ServiceContext, modelUrl: string): Promise<Service> {
  const programs = await installPython('LiteLLM', join(import.meta.dirname, 'requirements.txt'), context.stopping);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/v1`;
  const config = join(context.dataDir, 'litellm.json');
  // JSON is YAML.
  const params = { model: `openai/${MODEL}`, api_base: modelUrl, api_key: 'bench' };
  writeFileSync(config, JSON.stringify({ model_list: [{ model_name: MODEL, litellm_params: params }] }));
  return launch(context, {
    name: 'litellm',
    url,
    port,
    label: 'LiteLLM',
    file: join(programs, 'litellm'),
    args: ['--config', config, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1'],
    env: {
      LITELLM_LOCAL_MODEL_COST_MAP: 'True',
      LITELLM_LOG: 'ERROR',
      // It takes the bench's equal chunks for a fault.
      REPEATED_STREAMING_CHUNK_LIMIT: '1000000',
    },
    isReady: async () => (await fetch(`${url}/models`)).ok,
    withinMs: 180_000,
  });
}
