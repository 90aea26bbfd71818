import { useQuery } from '@tanstack/react-query';
import { ChevronDown } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Menu } from '../../ui/menu/Menu.tsx';

const STORED = 'turnkeeper.model';
const CHOSEN = 'turnkeeper:model';

/** The model of the next turn: the one last chosen in this browser while it is offered, else the first. */
export function useModelChoice() {
  const models = useQuery({ queryKey: ['models'], queryFn: () => answer(api.GET('/api/models')), staleTime: 300_000 });
  const chosen = useSyncExternalStore(subscribe, () => localStorage.getItem(STORED));
  const items = models.data?.items ?? [];
  const model = items.find(({ name }) => name === chosen)?.name ?? items.find((item) => item.default)?.name ?? null;
  // Until the models are known, nobody is told that theirs is blind.
  const seesImages = items.find(({ name }) => name === model)?.vision ?? true;
  return { items, model, seesImages };
}

export function ModelPicker() {
  const { t } = useTranslation('chat');
  const { items, model } = useModelChoice();
  if (model === null) return null;
  if (items.length === 1) return <span className="truncate px-2 text-xs text-faint">{model}</span>;
  return (
    <Menu
      aria-label={t('model', { model })}
      align="start"
      width="min-w-64"
      className="flex min-w-16 items-center gap-1 rounded-lg px-2 py-1.5 text-xs text-faint pointer-coarse:min-h-11 hover:bg-hover hover:text-ink"
      entries={[
        {
          kind: 'choice',
          label: t('models'),
          value: model,
          onChoose: choose,
          options: items.map(({ name, rate }) => ({
            value: name,
            label: name,
            hint: t('rate', { input: rate.input / 1000, output: rate.output / 1000 }),
          })),
        },
      ]}
    >
      <span className="truncate">{model}</span>
      <ChevronDown aria-hidden className="size-3.5 shrink-0" />
    </Menu>
  );
}

function choose(name: string): void {
  localStorage.setItem(STORED, name);
  dispatchEvent(new Event(CHOSEN));
}

function subscribe(changed: () => void): () => void {
  addEventListener(CHOSEN, changed);
  addEventListener('storage', changed);
  return () => {
    removeEventListener(CHOSEN, changed);
    removeEventListener('storage', changed);
  };
}
