import { useMutation, useQueryClient } from '@tanstack/react-query';
import { AlertDialog } from 'radix-ui';
import { useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import { Button } from '../ui/Button.tsx';
import { DIALOG, OVERLAY } from '../ui/dialog/dialog-look.ts';
import { Problem } from '../ui/Problem.tsx';
import type { Key, MintedKey } from './draft.ts';
import { keysKey } from './queries.ts';

/** Ask before a key, or its secret, lets nobody in any more. The focus begins on what keeps it. */
export function RevokeDialog({
  of,
  toOpener,
  onClose,
  onRevoked,
}: {
  of: Key;
  toOpener: (event: Event) => void;
  onClose: () => void;
  /** Called when the dialog has left: the button that opened it is about to leave, too. */
  onRevoked: () => void;
}) {
  const { t } = useTranslation('keys');
  const queries = useQueryClient();
  const revoked = useRef(false);
  const revoke = useMutation({
    mutationFn: () => answer(api.DELETE('/api/keys/{keyId}', { params: { path: { keyId: of.keyId } } })),
    onSuccess: () => {
      revoked.current = true;
      onClose();
      void queries.invalidateQueries({ queryKey: keysKey });
    },
  });
  return (
    <Ask
      title={t('revokeAsk.title', { name: of.name })}
      text={t('revokeAsk.text')}
      act={t('revokeAsk.do')}
      of={revoke}
      isDanger
      toOpener={(event) => {
        if (!revoked.current) return toOpener(event);
        event.preventDefault();
        onRevoked();
      }}
      onClose={onClose}
    />
  );
}

/** Seconds for which the secret of now stays good. */
const OVERLAPS = [0, 3600, 86400, 604800] as const;
type Overlap = (typeof OVERLAPS)[number];

export function RotateDialog({
  of,
  toOpener,
  onClose,
  onMinted,
}: {
  of: Key;
  toOpener: (event: Event) => void;
  onClose: () => void;
  onMinted: (minted: MintedKey) => void;
}) {
  const { t } = useTranslation('keys');
  const queries = useQueryClient();
  // One overlap runs at a time, so that another rotation can only be one without.
  const choices: readonly Overlap[] = of.previous === null ? OVERLAPS : [0];
  const [overlap, setOverlap] = useState<Overlap>(of.previous === null ? 86400 : 0);
  const rotate = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/keys/{keyId}/rotate', {
          params: { path: { keyId: of.keyId } },
          body: { overlapSeconds: overlap },
        }),
      ),
    onSuccess: (minted) => {
      onMinted(minted);
      void queries.invalidateQueries({ queryKey: keysKey });
    },
  });
  return (
    <Ask
      title={t('rotateAsk.title', { name: of.name })}
      text={t('rotateAsk.text')}
      act={t('rotateAsk.do')}
      of={rotate}
      isDanger={overlap === 0}
      toOpener={toOpener}
      onClose={onClose}
    >
      <label className="mt-4 grid gap-1 text-sm text-soft">
        {t('rotateAsk.overlap')}
        <select
          value={overlap}
          onChange={(event) => setOverlap(Number(event.target.value) as Overlap)}
          className="h-10 rounded-lg border border-line bg-raised px-3 text-ink"
        >
          {choices.map((seconds) => (
            <option key={seconds} value={seconds}>
              {t(`rotateAsk.after.${seconds}`)}
            </option>
          ))}
        </select>
      </label>
      {of.previous !== null && <p className="mt-2 text-sm text-soft">{t('rotateAsk.running')}</p>}
    </Ask>
  );
}

function Ask({
  title,
  text,
  act,
  of,
  isDanger,
  toOpener,
  onClose,
  children,
}: {
  title: string;
  text: string;
  act: string;
  of: { isPending: boolean; isError: boolean; error: unknown; mutate: () => void };
  isDanger: boolean;
  toOpener: (event: Event) => void;
  onClose: () => void;
  children?: ReactNode;
}) {
  const { t } = useTranslation('keys');
  return (
    <AlertDialog.Root open onOpenChange={(open) => !open && !of.isPending && onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={OVERLAY} />
        <AlertDialog.Content className={DIALOG} onCloseAutoFocus={toOpener}>
          <AlertDialog.Title className="text-lg font-semibold break-words">{title}</AlertDialog.Title>
          <AlertDialog.Description className="mt-2 text-sm text-soft">{text}</AlertDialog.Description>
          {children}
          {of.isError && (
            <div className="mt-4">
              <Problem error={of.error} />
            </div>
          )}
          <div className="mt-6 flex flex-wrap justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button disabled={of.isPending}>{t('cancel')}</Button>
            </AlertDialog.Cancel>
            <Button look={isDanger ? 'danger' : 'primary'} disabled={of.isPending} onClick={() => of.mutate()}>
              {act}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
