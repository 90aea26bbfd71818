import { useMutation, useQuery } from '@tanstack/react-query';
import { KeyRound, LogIn, ShieldCheck, UserRound } from 'lucide-react';
import { useEffect, useState, useSyncExternalStore, type FormEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../api/answer.ts';
import { ApiError } from '../api/api-error.ts';
import { api } from '../api/client.ts';
import { changeLanguage, currentLocale } from '../i18n/language.ts';
import { Brand } from '../ui/Brand.tsx';
import { Button } from '../ui/Button.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Notice } from '../ui/Notice.tsx';
import { Problem } from '../ui/Problem.tsx';
import { currentDemoSecret, forgetDemoSecret, subscribeDemoSecret } from './demo.ts';
import { signIn, type Session } from './session.ts';
import { signInOptions } from './sign-in-options.ts';

/** Shows in place of the page that was asked for, which shows after signing in. */
export function SignIn({ reason }: { reason: Extract<Session, { state: 'out' }>['reason'] }) {
  const { t } = useTranslation('sign-in');
  const options = useQuery(signInOptions);
  const [asked, setStay] = useState<boolean | null>(null);
  // Anybody on this machine may ask for the demo's keys, so they are kept over a reload. Another key is kept only if
  // the person says so.
  const stay = asked ?? options.data?.demo ?? false;
  useEffect(() => {
    document.title = `${t('title')} · Turnkeeper`;
  }, [t]);
  const stayBox = (
    <label className="mt-4 flex min-h-8 items-center gap-2.5 text-sm text-soft pointer-coarse:min-h-11">
      <input
        type="checkbox"
        checked={stay}
        onChange={(event) => setStay(event.target.checked)}
        className="size-4 accent-accent-fill"
      />
      {t('stay')}
    </label>
  );
  const provider = options.data?.provider ?? null;
  const secret = useSyncExternalStore(subscribeDemoSecret, currentDemoSecret);
  const offersDemo = options.data?.demo === true;
  const demo = offersDemo && secret !== null;
  return (
    <main className="flex h-full flex-col overflow-y-auto px-5 py-10">
      {/* In the middle of the page, or from its top on where it is too low for all of it. */}
      <div className="m-auto w-full max-w-sm">
        <Brand className="mb-6 text-lg" />
        <h1 className="text-2xl font-semibold tracking-tight text-balance">{t('welcome')}</h1>
        <p className="mt-2 mb-6 text-soft">{t('lead')}</p>
        {(reason === 'expired' || reason === 'refused' || reason === 'unreachable') && (
          <div className="mb-5">
            <Notice tone="warn">{t(reason)}</Notice>
          </div>
        )}
        {options.isError && (
          <div className="mb-5">
            <Problem error={options.error} onRetry={() => void options.refetch()} />
          </div>
        )}
        {options.isPending ? (
          <Loading />
        ) : (
          <>
            {provider !== null && <ByProvider issuer={provider.issuer} />}
            {demo && <Demo secret={secret} stay={stay} />}
            {offersDemo && !demo && (
              <div className="mb-5">
                <Notice tone="info">{t('demoAddress')}</Notice>
              </div>
            )}
            {/* A reload asks the provider, if there is one, so only a key needs to be kept. */}
            <KeyForm stay={stay} alone={!demo && provider === null}>
              {!demo && provider !== null && stayBox}
            </KeyForm>
            {(demo || provider === null) && stayBox}
          </>
        )}
        <LanguageSwitch />
      </div>
    </main>
  );
}

/** Goes to the provider's page, which leads back to this one. */
function ByProvider({ issuer }: { issuer: string }) {
  const { t } = useTranslation('sign-in');
  const going = useMutation({
    mutationFn: () => import('./provider.ts').then(({ askProvider }) => askProvider({ silent: false })),
  });
  return (
    <section aria-label={t('provider')} className="mb-5 grid gap-2.5">
      <Button look="primary" className="h-12" disabled={going.isPending} onClick={() => going.mutate()}>
        <LogIn aria-hidden className="size-4.5" />
        {t('withProvider')}
      </Button>
      <p className="text-sm text-faint">{t('providerHint', { host: new URL(issuer).host })}</p>
      {going.isError && <Notice tone="bad">{t('unreachable')}</Notice>}
    </section>
  );
}

function Demo({ secret, stay }: { secret: string; stay: boolean }) {
  const { t } = useTranslation('sign-in');
  const demo = useMutation({
    mutationFn: (as: 'user' | 'admin') => answer(api.POST('/api/auth/demo', { body: { as, secret } })),
    onSuccess: ({ token }) => signIn(token, { stay }),
    onError: (error) => {
      if (error instanceof ApiError && error.code === 'not_found') forgetDemoSecret();
    },
  });
  return (
    <section aria-label={t('demo')} className="grid gap-2.5">
      <Button look="primary" className="h-12" disabled={demo.isPending} onClick={() => demo.mutate('user')}>
        <UserRound aria-hidden className="size-4.5" />
        {t('demoUser')}
      </Button>
      <Button className="h-12" disabled={demo.isPending} onClick={() => demo.mutate('admin')}>
        <ShieldCheck aria-hidden className="size-4.5" />
        {t('demoAdmin')}
      </Button>
      <p className="text-sm text-faint">{t('demoHint')}</p>
      {demo.isError && <Problem error={demo.error} />}
    </section>
  );
}

/** Tries a key before it is kept, so that the form can say that it is wrong. */
function KeyForm({ stay, alone, children }: { stay: boolean; alone: boolean; children: ReactNode }) {
  const { t } = useTranslation('sign-in');
  const attempt = useMutation({
    mutationFn: async (token: string) => {
      await answer(api.GET('/api/me', { headers: { Authorization: `Bearer ${token}` } }));
      return token;
    },
    onSuccess: (token) => signIn(token, { stay }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get('key');
    if (typeof token === 'string' && token.trim() !== '') attempt.mutate(token.trim());
  };
  const refused = attempt.error instanceof ApiError && attempt.error.code === 'unauthorized';
  const form = (
    <form onSubmit={submit} className="grid gap-2.5">
      <label htmlFor="key" className="text-sm font-medium">
        {t('key')}
      </label>
      <input
        id="key"
        name="key"
        type="password"
        autoComplete="off"
        spellCheck={false}
        placeholder="tk_…"
        required
        aria-invalid={refused}
        aria-describedby={refused ? 'key-problem' : undefined}
        className="h-11 rounded-lg border border-line bg-raised px-3 font-mono text-sm placeholder:text-faint"
      />
      {refused && (
        <p id="key-problem" role="alert" className="text-sm text-bad">
          {t('keyRefused')}
        </p>
      )}
      {attempt.isError && !refused && <Problem error={attempt.error} />}
      <Button type="submit" look={alone ? 'primary' : 'quiet'} className="h-11" disabled={attempt.isPending}>
        <KeyRound aria-hidden className="size-4" />
        {t('withKey')}
      </Button>
      {children}
    </form>
  );
  if (alone) return form;
  return (
    <details className="mt-6 border-t border-line pt-4">
      <summary className="rounded text-sm text-soft hover:text-ink">{t('otherwise')}</summary>
      <div className="pt-4">{form}</div>
    </details>
  );
}

function LanguageSwitch() {
  const { t } = useTranslation('sign-in');
  const other = currentLocale() === 'ko' ? 'en' : 'ko';
  return (
    <Button look="bare" size="small" className="mt-6 -ml-3" lang={other} onClick={() => void changeLanguage(other)}>
      {t('otherLanguage')}
    </Button>
  );
}
