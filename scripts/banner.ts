import type { Stack } from './stack.ts';

/** What a person needs next, for standard output. The curl line can be pasted as it stands. */
export function bannerOf(
  { demo, temporalUi, services }: Pick<Stack, 'demo' | 'temporalUi' | 'services'>,
  { url, web, mail, seconds }: { url: string; web: string; mail: string | null; seconds: number },
): string {
  const shop = services.find(({ name }) => name === 'shop');
  const lines = [
    '',
    `Turnkeeper is ready after ${seconds.toFixed(1)} s`,
    '',
    `  app           ${web}${demo === null ? '' : `/#demo=${demo.secret}`}`,
    `  API           ${url}/api/docs`,
    ...(temporalUi === null ? [] : [`  Temporal UI   ${temporalUi}`]),
    `  mail          ${mail ?? 'off (SMTP_URL is not set)'}`,
    `  model         ${services.find(({ name }) => name === 'model')?.label ?? ''}`,
    ...(shop === undefined ? [] : [`  shop          ${shop.url} (${shop.label})`]),
    ...(demo === null
      ? ['  keys          npm run -s turnkeeper -- user create --email you@example.com']
      : [
          `  demo user     id 1, Bearer ${demo.user.token}`,
          `  demo admin    id 2, Bearer ${demo.admin.token}`,
          '',
          'Ask it something:',
          '',
          `  curl -X POST ${url}/api/chat/send -H "Authorization: Bearer ${demo.user.token}" -d '{"message": "안녕하세요"}'`,
        ]),
    '',
    'Ctrl-C stops everything.',
    '',
  ];
  return `${lines.join('\n')}\n`;
}
