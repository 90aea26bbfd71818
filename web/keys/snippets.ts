/** The programs for which a key's page has the lines to paste. docs/clients.md has each with what it answered. */
export const CLIENTS = [
  'curl',
  'openai-node',
  'openai-python',
  'ai-sdk',
  'langchain-js',
  'langchain-python',
  'librechat',
  'open-webui',
] as const;
export type Client = (typeof CLIENTS)[number];

/** Their names are the same in every language. */
export const CLIENT_NAMES = {
  curl: 'curl',
  'openai-node': 'OpenAI (Node.js)',
  'openai-python': 'OpenAI (Python)',
  'ai-sdk': 'Vercel AI SDK',
  'langchain-js': 'LangChain (JS)',
  'langchain-python': 'LangChain (Python)',
  librechat: 'LibreChat',
  'open-webui': 'Open WebUI',
} as const satisfies Record<Client, string>;

export interface Snippet {
  /** The language of the lines, or the file that they belong to. */
  readonly title: string;
  readonly code: string;
}

interface Filled {
  /** Of this service, with `/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  readonly secret: string;
}

export function snippetFor(client: Client, filled: Filled): Snippet {
  return SNIPPETS[client](filled);
}

const SNIPPETS = {
  curl: ({ baseUrl, model, secret }) => ({
    title: 'sh',
    code: `curl ${baseUrl}/chat/completions \\
  -H "Authorization: Bearer ${secret}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Say hello"}]}'`,
  }),
  'openai-node': ({ baseUrl, model, secret }) => ({
    title: 'ts',
    code: `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${baseUrl}', apiKey: '${secret}' });
const answer = await client.chat.completions.create({
  model: '${model}',
  messages: [{ role: 'user', content: 'Say hello' }],
});
console.log(answer.choices[0]?.message.content);`,
  }),
  'openai-python': ({ baseUrl, model, secret }) => ({
    title: 'python',
    code: `from openai import OpenAI

client = OpenAI(base_url="${baseUrl}", api_key="${secret}")
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Say hello"}],
)
print(answer.choices[0].message.content)`,
  }),
  'ai-sdk': ({ baseUrl, model, secret }) => ({
    title: 'ts',
    code: `import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText } from 'ai';

const turnkeeper = createOpenAICompatible({ name: 'turnkeeper', baseURL: '${baseUrl}', apiKey: '${secret}' });
const { text } = await generateText({ model: turnkeeper('${model}'), prompt: 'Say hello' });
console.log(text);`,
  }),
  'langchain-js': ({ baseUrl, model, secret }) => ({
    title: 'ts',
    code: `import { ChatOpenAI } from '@langchain/openai';

const chat = new ChatOpenAI({ model: '${model}', apiKey: '${secret}', configuration: { baseURL: '${baseUrl}' } });
const answer = await chat.invoke('Say hello');
console.log(answer.content);`,
  }),
  'langchain-python': ({ baseUrl, model, secret }) => ({
    title: 'python',
    code: `from langchain_openai import ChatOpenAI

chat = ChatOpenAI(model="${model}", base_url="${baseUrl}", api_key="${secret}")
print(chat.invoke("Say hello").content)`,
  }),
  librechat: ({ baseUrl, model, secret }) => ({
    title: 'librechat.yaml',
    code: `version: 1.3.17
cache: true
endpoints:
  custom:
    - name: Turnkeeper
      apiKey: '${secret}'
      baseURL: '${baseUrl}'
      models:
        default: ['${model}']
        fetch: true
      titleConvo: true
      titleModel: '${model}'
      modelDisplayLabel: Turnkeeper`,
  }),
  'open-webui': ({ baseUrl, model, secret }) => ({
    title: 'sh',
    code: `export OPENAI_API_BASE_URL=${baseUrl}
export OPENAI_API_KEY=${secret}
export TASK_MODEL_EXTERNAL=${model}
open-webui serve`,
  }),
} as const satisfies Record<Client, (filled: Filled) => Snippet>;
