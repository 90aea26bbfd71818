import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../api/answer.ts';
import { ApiError } from '../api/api-error.ts';
import { publicApi } from '../api/public-client.ts';
import type { Schemas } from '../api/schemas.ts';
import { currentLocale } from '../i18n/language.ts';
import { Markdown } from '../markdown/Markdown.tsx';
import { Boundary } from '../ui/Boundary.tsx';
import { Brand } from '../ui/Brand.tsx';
import { buttonClass } from '../ui/Button.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Problem } from '../ui/Problem.tsx';
import { momentsIn } from '../usage/moments.ts';

type Copy = Schemas['SharedCopy'];

/** A copy of a conversation, for anybody who has its link. */
export function SharedPage({ token }: { token: string }) {
  const { t } = useTranslation('sharing');
  const [copy, setCopy] = useState<Copy | null>(null);
  const [error, setError] = useState<unknown>(null);
  const read = useCallback(() => {
    setError(null);
    void answer(publicApi.GET('/api/shared/{token}', { params: { path: { token } } })).then(setCopy, setError);
  }, [token]);
  useEffect(read, [read]);
  const gone = error instanceof ApiError && error.code === 'not_found';
  const title = gone ? t('page.gone') : (copy?.title ?? t('page.title'));
  useEffect(() => {
    document.title = `${title} · Turnkeeper`;
  }, [title]);
  return (
    <div className="flex h-full flex-col">
      <header className="flex h-14 shrink-0 items-center justify-between gap-3 border-b border-line px-4 sm:px-6">
        <Brand />
        <a href="/" className={buttonClass({ size: 'small' })}>
          {t('page.begin')}
        </a>
      </header>
      <main className="relative min-h-0 flex-1 overflow-y-auto" tabIndex={-1}>
        <div className="mx-auto w-full max-w-3xl px-4 pt-6 pb-16 sm:px-6">
          <h1 className="text-2xl font-semibold tracking-tight break-words">{title}</h1>
          {gone && <p className="mt-3 text-soft">{t('page.goneLead')}</p>}
          {error !== null && !gone && (
            <div className="mt-4">
              <Problem error={error} onRetry={read} />
            </div>
          )}
          {copy === null && error === null && <Loading />}
          {copy !== null && <Messages copy={copy} />}
        </div>
      </main>
    </div>
  );
}

function Messages({ copy: { createdAt, messages } }: { copy: Copy }) {
  const { t } = useTranslation('sharing');
  const { t: chat } = useTranslation('chat');
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return (
    <>
      <p className="mt-2 text-sm text-faint">
        {t('page.lead', { at: momentsIn(currentLocale(), timeZone).day(createdAt) })}
      </p>
      {messages.map(({ role, content, files }, i) =>
        role === 'user' ? (
          <article key={i} aria-label={t('page.question')} className="pt-5">
            <div
              dir="auto"
              className="ml-auto w-fit max-w-[85%] rounded-2xl rounded-br-md bg-accent-tint px-4 py-2.5 break-words whitespace-pre-wrap"
            >
              {content}
            </div>
            {files !== undefined && (
              <p className="mt-1 text-right text-xs text-faint">{t('page.files', { n: files })}</p>
            )}
          </article>
        ) : (
          <article key={i} aria-label={chat('answer')} className="answer pt-5">
            <Boundary fallback={() => <div className="whitespace-pre-wrap">{content}</div>}>
              <Markdown text={content} streaming={false} />
            </Boundary>
          </article>
        ),
      )}
    </>
  );
}
