import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../api/answer.ts';
import { ApiError } from '../api/api-error.ts';
import { publicApi } from '../api/public-client.ts';
import { KEPT_KEY } from '../session/early.ts';
import { Brand } from '../ui/Brand.tsx';
import { Button, buttonClass } from '../ui/Button.tsx';
import { CopyButton } from '../ui/CopyButton.tsx';
import { Problem } from '../ui/Problem.tsx';

/** Lets an invited person in: gives them their key, once, and signs this tab in by it. */
export function InvitationPage({ token }: { token: string }) {
  const { t } = useTranslation('invitation');
  const [key, setKey] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const gone = token === '' || (error instanceof ApiError && ['not_found', 'invalid_request'].includes(error.code));
  const title = gone ? t('gone') : key === null ? t('title') : t('ready');
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Turnkeeper`;
    heading.current?.focus();
  }, [title]);
  const accept = () => {
    setBusy(true);
    setError(null);
    void answer(publicApi.POST('/api/invitations/accept', { body: { token } }))
      .then((given) => setKey(given.token), setError)
      .finally(() => setBusy(false));
  };
  return (
    <main className="flex h-full flex-col overflow-y-auto px-5 py-10">
      <div className="m-auto grid w-full max-w-sm gap-4">
        <Brand className="mb-2 text-lg" />
        <h1 ref={heading} tabIndex={-1} className="text-2xl font-semibold tracking-tight text-balance outline-none">
          {title}
        </h1>
        {gone ? (
          <>
            <p className="text-soft">{t('goneLead')}</p>
            <a href="/" className={buttonClass({}, 'h-12')}>
              {t('signIn')}
            </a>
          </>
        ) : key === null ? (
          <>
            <p className="text-soft">{t('lead')}</p>
            {error !== null && <Problem error={error} onRetry={accept} />}
            <Button look="primary" className="h-12" disabled={busy} onClick={accept}>
              {t('accept')}
            </Button>
          </>
        ) : (
          <Ready secret={key} />
        )}
      </div>
    </main>
  );
}

function Ready({ secret }: { secret: string }) {
  const { t } = useTranslation('invitation');
  const [kept, setKept] = useState(false);
  const begin = () => {
    sessionStorage.setItem(KEPT_KEY, secret);
    location.assign('/');
  };
  return (
    <>
      <p className="text-soft">{t('keyLead')}</p>
      <label className="grid gap-1 text-xs text-faint">
        {t('key')}
        <span className="flex items-center gap-1">
          <input
            readOnly
            value={secret}
            onFocus={(event) => event.target.select()}
            className="h-10 min-w-0 flex-1 rounded-lg border border-line bg-raised px-3 font-mono text-sm text-ink"
          />
          <CopyButton text={secret} label={t('copy')} />
        </span>
      </label>
      <label className="flex min-h-8 items-center gap-2.5 text-sm text-soft pointer-coarse:min-h-11">
        <input
          type="checkbox"
          checked={kept}
          onChange={(event) => setKept(event.target.checked)}
          className="size-4 accent-accent-fill"
        />
        {t('kept')}
      </label>
      <Button look="primary" className="h-12" disabled={!kept} onClick={begin}>
        {t('go')}
      </Button>
    </>
  );
}
