import { useInfiniteQuery } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Page } from '../ui/Page.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useOpener } from '../ui/dialog/use-opener.ts';
import { Connect } from './Connect.tsx';
import { KeyCard, type KeyStep } from './KeyCard.tsx';
import { KeyForm } from './KeyForm.tsx';
import type { Key, MintedKey } from './draft.ts';
import { keysQuery } from './queries.ts';
import { RevokeDialog, RotateDialog } from './Ends.tsx';
import { SecretDialog } from './SecretDialog.tsx';

/** What is open over the page. A secret shows until it is closed, and is nowhere afterwards. */
type Open = { step: 'make' } | { step: KeyStep; of: Key } | { step: 'secret'; minted: MintedKey; before: Key | null };

/** A person's keys for programs: each with what it may, what it has used, and the lines that connect a program. */
export function KeysPage() {
  const { t } = useTranslation('keys');
  const [open, setOpen] = useState<Open | null>(null);
  const make = useRef<HTMLButtonElement>(null);
  const keys = useInfiniteQuery(keysQuery({ revoked: false }));
  const items = keys.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page
      title={t('title')}
      actions={
        <Button ref={make} look="primary" onClick={() => setOpen({ step: 'make' })}>
          <Plus aria-hidden className="size-4" />
          {t('make')}
        </Button>
      }
    >
      <div className="relative grid gap-8">
        <p className="-mt-3 text-soft">{t('lead')}</p>
        <section aria-label={t('list')} className="grid gap-3">
          {keys.isPending && <Loading />}
          {keys.isError && <Problem error={keys.error} onRetry={() => void keys.refetch()} />}
          {keys.isSuccess && items.length === 0 && <None />}
          {items.length > 0 && (
            <ul className="grid gap-3">
              {items.map((key) => (
                <li key={key.keyId}>
                  <KeyCard of={key} onStep={(step) => setOpen({ step, of: key })} />
                </li>
              ))}
            </ul>
          )}
          {keys.hasNextPage && (
            <Button size="small" disabled={keys.isFetchingNextPage} onClick={() => void keys.fetchNextPage()}>
              {t('more')}
            </Button>
          )}
        </section>
        <Connect />
        <Revoked />
      </div>
      {open !== null && <Over open={open} onOpen={setOpen} onRevoked={() => make.current?.focus()} />}
    </Page>
  );
}

/** The dialog over the page. When the last of a row of them closes, the focus is where the first one was opened. */
function Over({ open, onOpen, onRevoked }: { open: Open; onOpen: (open: Open | null) => void; onRevoked: () => void }) {
  const shared = { toOpener: useOpener(), onClose: () => onOpen(null) };
  if (open.step === 'secret') return <SecretDialog minted={open.minted} before={open.before} {...shared} />;
  if (open.step === 'revoke') return <RevokeDialog of={open.of} onRevoked={onRevoked} {...shared} />;
  const of = open.step === 'make' ? null : open.of;
  const onMinted = (minted: MintedKey) => onOpen({ step: 'secret', minted, before: of });
  if (open.step === 'rotate') return <RotateDialog of={open.of} onMinted={onMinted} {...shared} />;
  return <KeyForm of={of} onMinted={onMinted} {...shared} />;
}

function None() {
  const { t } = useTranslation('keys');
  return (
    <div className="grid justify-items-center gap-2 rounded-xl border border-dashed border-line px-6 py-10 text-center">
      <KeyRound aria-hidden className="size-6 text-faint" />
      <p className="font-medium">{t('none')}</p>
      <p className="max-w-sm text-sm text-soft">{t('noneLead')}</p>
    </div>
  );
}

/** Read only when they are wanted: keys that let nobody in any more, for what they used. */
function Revoked() {
  const { t } = useTranslation('keys');
  const [wanted, setWanted] = useState(false);
  const revoked = useInfiniteQuery({ ...keysQuery({ revoked: true }), enabled: wanted });
  const items = revoked.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <details onToggle={(event) => setWanted(event.currentTarget.open)}>
      <summary className="cursor-pointer rounded font-medium text-soft">{t('revoked.title')}</summary>
      <div className="mt-3 grid gap-3">
        {revoked.isLoading && <Loading />}
        {revoked.isError && <Problem error={revoked.error} onRetry={() => void revoked.refetch()} />}
        {revoked.isSuccess && items.length === 0 && <p className="text-sm text-soft">{t('revoked.none')}</p>}
        {items.map((key) => (
          <KeyCard key={key.keyId} of={key} onStep={null} />
        ))}
        {revoked.hasNextPage && (
          <Button size="small" disabled={revoked.isFetchingNextPage} onClick={() => void revoked.fetchNextPage()}>
            {t('more')}
          </Button>
        )}
      </div>
    </details>
  );
}
