import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { CopyButton } from '../ui/CopyButton.tsx';
import { Notice } from '../ui/Notice.tsx';
import { useFigures } from '../usage/figures.ts';
import { Connect } from './Connect.tsx';
import { KeyDialog } from './KeyDialog.tsx';
import type { Key, MintedKey } from './draft.ts';

/**
 * The one time that a secret shows, with the lines that it goes into.
 * @param before the key before its rotation; null: it was just made.
 */
export function SecretDialog({
  minted,
  before,
  toOpener,
  onClose,
}: {
  minted: MintedKey;
  before: Key | null;
  toOpener: (event: Event) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation('keys');
  const { moment } = useFigures();
  const field = useRef<HTMLInputElement>(null);
  const { name, previous, secret } = minted;
  return (
    <KeyDialog
      title={t(before === null ? 'secret.made' : 'secret.rotated', { name })}
      lead={t('secret.once')}
      toOpener={toOpener}
      onClose={onClose}
    >
      <div className="grid gap-5">
        <div className="flex items-center gap-1 rounded-lg border border-line pr-1.5">
          <input
            ref={field}
            readOnly
            value={secret}
            aria-label={t('secret.label')}
            translate="no"
            onFocus={() => field.current?.select()}
            className="h-11 min-w-0 flex-1 rounded-lg bg-transparent px-3 font-mono text-sm"
          />
          <CopyButton text={secret} label={t('secret.copy')} />
        </div>
        {before !== null && (
          <Notice tone="info">
            {previous === null ? t('secret.endedNow') : t('secret.previous', { at: moment(previous.endsAt) })}
          </Notice>
        )}
        {minted.scopes.includes('v1') && <Connect secret={secret} only={minted.models} level={3} />}
        <div className="flex justify-end">
          <Button look="primary" onClick={onClose}>
            {t('secret.kept')}
          </Button>
        </div>
      </div>
    </KeyDialog>
  );
}
