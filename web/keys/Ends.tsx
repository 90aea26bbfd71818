import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import { ConfirmDialog } from '../ui/dialog/ConfirmDialog.tsx';
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
    <ConfirmDialog
      title={t('revokeAsk.title', { name: of.name })}
      lead={t('revokeAsk.text')}
      act={t('revokeAsk.do')}
      keep={t('cancel')}
      doing={revoke}
      toOpener={(event) => {
        if (!revoked.current) return toOpener(event);
        event.preventDefault();
        onRevoked();
      }}
      onOpenChange={onClose}
      onConfirm={() => revoke.mutate()}
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
    <ConfirmDialog
      title={t('rotateAsk.title', { name: of.name })}
      lead={t('rotateAsk.text')}
      act={t('rotateAsk.do')}
      keep={t('cancel')}
      look={overlap === 0 ? 'danger' : 'primary'}
      doing={rotate}
      toOpener={toOpener}
      onOpenChange={onClose}
      onConfirm={() => rotate.mutate()}
    >
      <label className="grid gap-1 text-sm text-soft">
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
      {of.previous !== null && <p className="text-sm text-soft">{t('rotateAsk.running')}</p>}
    </ConfirmDialog>
  );
}
