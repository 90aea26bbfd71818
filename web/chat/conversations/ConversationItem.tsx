import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Archive, ArchiveRestore, Ellipsis, Pencil } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Menu } from '../../ui/menu/Menu.tsx';

type Conversation = Schemas['Conversation'];

export function ConversationItem({ item, onLeave }: { item: Conversation; onLeave: () => void }) {
  const { t } = useTranslation('chat');
  const [location] = useLocation();
  const [renaming, setRenaming] = useState(false);
  const link = useRef<HTMLAnchorElement>(null);
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (body: Schemas['UpdateConversation']) =>
      answer(
        api.PATCH('/api/conversations/{conversationId}', {
          params: { path: { conversationId: item.conversationId } },
          body,
        }),
      ),
    onSuccess: (changed) => {
      queries.setQueryData(['conversation', item.conversationId], changed);
      return queries.invalidateQueries({ queryKey: ['conversations'] });
    },
  });
  const href = `/c/${item.conversationId}`;
  const current = location === href;
  const title = item.title ?? t('untitled');
  if (renaming) {
    const end = () => {
      setRenaming(false);
      setTimeout(() => link.current?.focus());
    };
    return (
      <Rename
        title={item.title ?? ''}
        onCancel={end}
        onRename={(next) => {
          if (next !== item.title) change.mutate({ title: next });
          end();
        }}
      />
    );
  }
  return (
    <div className={`group flex items-center rounded-lg pr-1 ${current ? 'bg-hover' : 'hover:bg-hover/70'}`}>
      <Link
        ref={link}
        href={href}
        onClick={onLeave}
        aria-current={current ? 'page' : undefined}
        title={title}
        className="min-w-0 flex-1 truncate rounded-lg px-3 py-1.5 text-sm"
      >
        {title}
      </Link>
      <Menu
        aria-label={t('conversationMenu', { title })}
        keepFocus={renaming}
        width="w-44"
        entries={[
          { kind: 'action', label: t('rename'), icon: Pencil, onSelect: () => setRenaming(true) },
          {
            kind: 'action',
            label: item.archived ? t('unarchive') : t('archive'),
            icon: item.archived ? ArchiveRestore : Archive,
            onSelect: () => change.mutate({ archived: !item.archived }),
          },
        ]}
        className="size-7 shrink-0 rounded-md text-faint opacity-0 group-hover:opacity-100 hover:text-ink focus-visible:opacity-100 data-[state=open]:opacity-100 pointer-coarse:opacity-100"
      >
        <Ellipsis aria-hidden className="mx-auto size-4" />
      </Menu>
    </div>
  );
}

/** Enter saves the title, and so does leaving the field; Escape discards it. */
function Rename({
  title,
  onRename,
  onCancel,
}: {
  title: string;
  onRename: (title: string) => void;
  onCancel: () => void;
}) {
  const { t } = useTranslation('chat');
  const done = useRef(false);
  const keep = (value: string) => {
    if (done.current) return;
    done.current = true;
    if (value.trim() === '') onCancel();
    else onRename(value.trim());
  };
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        keep(field.current?.value ?? '');
      }}
    >
      <input
        ref={field}
        defaultValue={title}
        aria-label={t('newTitle')}
        maxLength={200}
        onBlur={(event) => keep(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            done.current = true;
            onCancel();
          }
        }}
        className="w-full rounded-lg bg-raised px-3 py-1.5 text-sm"
      />
    </form>
  );
}
