import { useTranslation } from 'react-i18next';
import type words from '../../i18n/ko/words.json';
import { useFigures } from '../../usage/figures.ts';

type Code = keyof (typeof words)['code'];
type Figure = keyof (typeof words)['figure'];
type Status = keyof (typeof words)['status'];
type Value = keyof (typeof words)['value'];

/** Our words for codes and figures. What has none yet, and what is a provider's own, stays as it is. */
export function useWords() {
  const { t, i18n } = useTranslation(['words', 'deliveries']);
  const { moment, tokens } = useFigures();
  const has = (key: string) => i18n.exists(key, { ns: 'words' });
  const codeOf = (code: string) => (has(`code.${code}`) ? t(`code.${code as Code}`) : code);
  const valueOf = (name: string, value: unknown): string => {
    if (value === null) return t('none');
    if (typeof value === 'boolean') return t(value ? 'yes' : 'no');
    if (typeof value === 'number')
      return AT.has(name) ? moment(new Date(value).toISOString()) : IDS.has(name) ? String(value) : tokens(value);
    if (typeof value !== 'string') return JSON.stringify(value);
    const text = value;
    if (AT.has(name)) return moment(text);
    if (name.endsWith('code')) return codeOf(text);
    if (name === 'kind' && i18n.exists(`kind.${text}`, { ns: 'deliveries' }))
      return t(`deliveries:kind.${text}` as 'deliveries:kind.usage.alert');
    return has(`value.${text}`) ? t(`value.${text as Value}`) : text;
  };
  const nameOf = (name: string) => {
    const plain = name.replace(/^filter\./, '');
    return has(`figure.${plain}`) ? t(`figure.${plain as Figure}`) : plain;
  };
  return {
    codeOf,
    /** Of a workflow, as Temporal says it; null: it does not. */
    statusOf: (status: string | null) =>
      status === null ? '–' : has(`status.${status}`) ? t(`status.${status as Status}`) : status,
    /** What was before and after, or a filter: `상태: 실패, 원인: 모델이 요청을 거절`. */
    figuresOf: (values: Readonly<Record<string, unknown>>) =>
      Object.entries(values)
        .map(([name, value]) => `${nameOf(name)}: ${valueOf(name.replace(/^filter\./, ''), value)}`)
        .join(', '),
  };
}

const AT = new Set(['from', 'to', 'expiresAt']);
const IDS = new Set(['userId', 'entryId', 'codeId']);
