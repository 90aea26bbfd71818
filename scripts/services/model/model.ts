import { fileURLToPath } from 'node:url';
import { onFreePort } from '../port.ts';
import { external, launch, type ServiceContext, type Service } from '../service.ts';

/**
 * OpenAI (or any compatible provider) when there is a key or a base URL, else a demo model on this machine that speaks
 * the same protocol.
 */
export async function startModel(
  context: ServiceContext,
  settings: { apiKey: string | undefined; baseUrl: string | undefined },
): Promise<Service> {
  if (settings.apiKey !== undefined || settings.baseUrl !== undefined) {
    const baseUrl = settings.baseUrl ?? 'https://api.openai.com/v1';
    return external('model', baseUrl, `the model at ${URL.canParse(baseUrl) ? new URL(baseUrl).host : baseUrl}`);
  }
  return onFreePort((port) => {
    const url = `http://127.0.0.1:${port}/v1`;
    return launch(context, {
      name: 'model',
      url,
      port,
      label: 'a DEMO model, no real AI: set OPENAI_API_KEY for one',
      file: process.execPath,
      args: [
        '--disable-warning=ExperimentalWarning',
        fileURLToPath(new URL('demo-model.ts', import.meta.url)),
        String(port),
      ],
      isReady: async () => (await fetch(`${url}/models`, { signal: AbortSignal.timeout(1_000) })).status < 500,
      withinMs: 30_000,
    });
  });
}
