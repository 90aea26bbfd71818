import { useMutation } from '@tanstack/react-query';
import {
  Archive,
  ArchiveRestore,
  Ellipsis,
  FileBraces,
  FileDown,
  Pencil,
  Pin,
  PinOff,
  Settings2,
  Share2,
  Trash2,
} from 'lucide-react';
import { lazy, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import type { Schemas } from '../../api/schemas.ts';
import { isComposingKey } from '../../ui/keys/composing-key.ts';
import { sentenceOf } from '../../ui/Problem.tsx';
import { loadWords } from '../../i18n/language.ts';
import { Menu } from '../../ui/menu/Menu.tsx';
import { OnDemand } from '../../ui/OnDemand.tsx';
import { branchOf } from '../branches/shown-branch.ts';
import { placeOf } from '../transcript/use-place.ts';
import { ShareOnDemand } from './ShareOnDemand.tsx';
import { useChangeConversation } from './use-change-conversation.ts';

type Conversation = Schemas['ListedConversation'];

const DeleteDialog = lazy(async () => {
  const [{ DeleteDialog }] = await Promise.all([import('./DeleteDialog.tsx'), loadWords('sharing')]);
  return { default: DeleteDialog };
});

const InstructionsDialog = lazy(async () => {
  const [{ InstructionsDialog }] = await Promise.all([
    import('./InstructionsDialog.tsx'),
    import('../../i18n/pages.ts').then(({ loadPageWords }) => loadPageWords('instructions')),
  ]);
  return { default: InstructionsDialog };
});

/**
 * @param onMoved called when it has been moved to the archive or back, and so is about to leave the list.
 * @param onDeleted likewise, when it was deleted.
 */
export function ConversationItem({
  item,
  onLeave,
  onMoved,
  onDeleted,
}: {
  item: Conversation;
  onLeave: () => void;
  onMoved: (item: Conversation) => void;
  onDeleted: () => void;
}) {
  const { t } = useTranslation('chat');
  const { t: common } = useTranslation();
  const [location] = useLocation();
  const [renaming, setRenaming] = useState(false);
  const [dialog, setDialog] = useState<'share' | 'instructions' | 'delete' | null>(null);
  const link = useRef<HTMLAnchorElement>(null);
  const change = useChangeConversation();
  const save = useMutation({
    mutationFn: async (format: 'markdown' | 'json') => {
      const { download } = await import('../../api/download.ts');
      const { conversationId } = item;
      // Markdown is what is shown; JSON is all of it, with what each turn follows.
      const line = format === 'markdown' ? `&branch=${branchOf(conversationId) ?? 'newest'}` : '';
      return download(`/api/conversations/${conversationId}/export?format=${format}${line}`, '*/*');
    },
  });
  const failed = change.error ?? save.error;
  const current = location === `/c/${item.conversationId}`;
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
          if (next !== item.title) change.mutate({ conversationId: item.conversationId, title: next });
          end();
        }}
      />
    );
  }
  return (
    <>
      <div className={`group flex items-center rounded-lg pr-1 ${current ? 'bg-hover' : 'hover:bg-hover/70'}`}>
        <Link
          ref={link}
          {...placeOf(item.conversationId, item.found)}
          onClick={onLeave}
          aria-current={current ? 'page' : undefined}
          title={title}
          className="min-w-0 flex-1 rounded-lg px-3 py-1.5 text-sm pointer-coarse:py-3"
        >
          <span className="block truncate">{title}</span>
          {item.found !== undefined && !isIn(title, item.found.match) && <Said {...item.found} />}
        </Link>
        <Menu
          aria-label={t('conversationMenu', { title })}
          keepFocus={renaming}
          width="w-56"
          entries={[
            {
              kind: 'action',
              label: item.pinned ? t('unpin') : t('pin'),
              icon: item.pinned ? PinOff : Pin,
              onSelect: () => change.mutate({ conversationId: item.conversationId, pinned: !item.pinned }),
            },
            { kind: 'action', label: t('share'), icon: Share2, onSelect: () => setDialog('share') },
            {
              kind: 'action',
              label: t('instructions'),
              icon: Settings2,
              onSelect: () => setDialog('instructions'),
            },
            { kind: 'action', label: t('rename'), icon: Pencil, onSelect: () => setRenaming(true) },
            {
              kind: 'action',
              label: item.archived ? t('unarchive') : t('archive'),
              icon: item.archived ? ArchiveRestore : Archive,
              onSelect: () =>
                change.mutate(
                  { conversationId: item.conversationId, archived: !item.archived },
                  { onSuccess: () => onMoved(item) },
                ),
            },
            {
              kind: 'action',
              label: t('exportAs', { format: 'Markdown' }),
              icon: FileDown,
              onSelect: () => save.mutate('markdown'),
            },
            {
              kind: 'action',
              label: t('exportAs', { format: 'JSON' }),
              icon: FileBraces,
              onSelect: () => save.mutate('json'),
            },
            { kind: 'line' },
            { kind: 'action', label: t('delete'), icon: Trash2, onSelect: () => setDialog('delete') },
          ]}
          className="size-7 shrink-0 rounded-md text-faint opacity-0 group-hover:opacity-100 hover:text-ink focus-visible:opacity-100 data-[state=open]:opacity-100 pointer-coarse:size-11 pointer-coarse:opacity-100"
        >
          <Ellipsis aria-hidden className="mx-auto size-4" />
        </Menu>
      </div>
      {dialog === 'share' && (
        <ShareOnDemand conversationId={item.conversationId} turnId={null} onClose={() => setDialog(null)} />
      )}
      {dialog === 'instructions' && (
        <OnDemand closed={null} onClose={() => setDialog(null)}>
          <InstructionsDialog conversationId={item.conversationId} onClose={() => setDialog(null)} />
        </OnDemand>
      )}
      {dialog === 'delete' && (
        <OnDemand closed={null} onClose={() => setDialog(null)}>
          <DeleteDialog item={item} onClose={() => setDialog(null)} onDeleted={onDeleted} />
        </OnDemand>
      )}
      <p role="status" className="sr-only">
        {save.isSuccess && t('exported')}
      </p>
      {failed !== null && (
        <p role="alert" className="px-3 py-1 text-xs text-bad">
          {sentenceOf(failed, common)}
        </p>
      )}
    </>
  );
}

/** Whether the title shows by itself what was searched: a question and its own title would stand there twice. */
function isIn(title: string, match: string): boolean {
  return title.toLocaleLowerCase().includes(match.toLocaleLowerCase());
}

/** A piece of what was said without its signs of Markdown, with what was searched marked. */
function Said({ before, match, after }: Schemas['Found']) {
  const plain = (text: string) => text.replace(/\*\*|__|`+|#+ |[-*+] \[[ x]\] |\|(?:\s*:?-{3,}:?\s*\|)*/gi, '');
  return (
    <span className="line-clamp-2 text-xs break-words text-soft">
      {plain(before)}
      <mark className="bg-accent-tint font-medium text-ink">{match}</mark>
      {plain(after)}
    </span>
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
          // Enter or Escape that ends a syllable must not end the renaming with it.
          if (isComposingKey(event.nativeEvent)) {
            if (event.key === 'Enter' || event.key === 'Escape') event.stopPropagation();
            if (event.key === 'Enter') event.preventDefault();
          } else if (event.key === 'Escape') {
            event.stopPropagation();
            done.current = true;
            onCancel();
          }
        }}
        className="w-full rounded-lg bg-raised px-3 py-1.5 text-sm"
      />
    </form>
  );
}
