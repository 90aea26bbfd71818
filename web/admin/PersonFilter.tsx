import { keepPreviousData, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useEffect, useId, useState, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import { Button } from '../ui/Button.tsx';
import { isComposingKey } from '../ui/keys/composing-key.ts';
import { FIELD } from './Fields.tsx';
import { usePersonName } from './Links.tsx';
import { useAddress } from './use-address.ts';

const TYPED_MS = 250;
const SHOWN = 8;

/** The one search for people: by number, or by the beginning of an e-mail or a name. */
const peopleQuery = (who: string) =>
  queryOptions({
    queryKey: ['admin', 'who', who],
    queryFn: () => answer(api.GET('/api/admin/users', { params: { query: { who, limit: SHOWN } } })),
    staleTime: 30_000,
  });

/**
 * A filter by one person, who is searched for and chosen. The address keeps their number.
 * @param name of the number in the address.
 */
export function PersonFilter({ name, label }: { name: 'userId' | 'adminId'; label: string }) {
  const [{ [name]: chosen }, setAddress] = useAddress();
  const choose = (userId: number | undefined) =>
    setAddress({ [name]: userId === undefined ? undefined : String(userId) });
  return chosen === undefined ? (
    <Search label={label} onChoose={choose} />
  ) : (
    <Chosen label={label} chosen={chosen} onClear={() => choose(undefined)} />
  );
}

function Chosen({ label, chosen, onClear }: { label: string; chosen: string; onClear: () => void }) {
  const { t } = useTranslation('people');
  const nameOf = usePersonName();
  const isId = /^[1-9]\d{0,15}$/.test(chosen);
  const found = useQuery({ ...peopleQuery(chosen), enabled: isId });
  const person = found.data?.items.find(({ userId }) => String(userId) === chosen);
  const shown = person === undefined ? t('numbered', { id: chosen }) : nameOf(person);
  return (
    <div className="grid gap-1 text-xs text-faint">
      {label}
      <Button
        className="h-9 max-w-60 justify-between text-sm"
        aria-label={t('clearOne', { name: shown })}
        onClick={onClear}
      >
        <span className="truncate">{shown}</span>
        <X aria-hidden className="size-3.5 shrink-0" />
      </Button>
    </div>
  );
}

function Search({ label, onChoose }: { label: string; onChoose: (userId: number) => void }) {
  const { t } = useTranslation('people');
  const queries = useQueryClient();
  const nameOf = usePersonName();
  const id = useId();
  const [typed, setTyped] = useState('');
  const [asked, setAsked] = useState('');
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(typed.trim()), TYPED_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const found = useQuery({ ...peopleQuery(asked), enabled: asked !== '', placeholderData: keepPreviousData });
  const people = asked === '' ? [] : (found.data?.items ?? []);
  const isOpen = open && typed.trim() !== '' && asked !== '';
  const pick = async () => {
    const one = people[at] ?? (await queries.fetchQuery(peopleQuery(typed.trim()))).items[0];
    if (one !== undefined) onChoose(one.userId);
  };
  const press = (event: KeyboardEvent<HTMLInputElement>) => {
    if (isComposingKey(event.nativeEvent)) return;
    if (event.key === 'Enter' && typed.trim() !== '') {
      event.preventDefault();
      void pick().catch(() => {});
    }
    if (event.key === 'Escape') setOpen(false);
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0 || people.length === 0) return;
    event.preventDefault();
    setOpen(true);
    setAt((at + step + people.length + (at < 0 && step < 0 ? 1 : 0)) % people.length);
  };
  return (
    <div className="relative grid gap-1 text-xs text-faint">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="search"
        role="combobox"
        autoComplete="off"
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && at >= 0 ? `${id}-${at}` : undefined}
        value={typed}
        placeholder={t('findHint')}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(-1);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={press}
        className={`${FIELD} w-60 max-w-full text-ink`}
      />
      <ul
        id={`${id}-list`}
        role="listbox"
        aria-label={label}
        hidden={!isOpen}
        className="absolute top-full z-20 mt-1 max-h-80 w-72 max-w-[calc(100vw-2rem)] overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-float"
      >
        {people.map((person, i) => (
          <li
            key={person.userId}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === at}
            // The field keeps the focus, so that its keys go on to work.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => onChoose(person.userId)}
            className="cursor-pointer rounded-md px-2.5 py-1.5 text-sm text-ink hover:bg-hover aria-selected:bg-accent-tint"
          >
            <span className="block truncate font-medium">{nameOf(person)}</span>
            <span className="block truncate text-xs text-faint">
              {person.name !== null && person.email !== null ? `${person.email} · ` : ''}#{person.userId}
            </span>
          </li>
        ))}
        {people.length === 0 && (
          <li role="option" aria-selected={false} aria-disabled className="px-2.5 py-1.5 text-sm text-faint">
            {found.isFetching ? t('searching') : t('nobody')}
          </li>
        )}
      </ul>
    </div>
  );
}
