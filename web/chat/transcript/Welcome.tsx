import { useTranslation } from 'react-i18next';
import { closedBy, useUsage } from '../../usage/use-usage.ts';

const IDEAS = ['plan', 'explain', 'write'] as const;

/** The page before the first question. */
export function Welcome({ begun, onAsk }: { begun: boolean; onAsk: (message: string) => void }) {
  const { t } = useTranslation('chat');
  const { data: usage } = useUsage();
  const closed = closedBy(usage);
  return (
    // Without a button that can be pressed it is scrolled by the keyboard itself.
    <section
      aria-labelledby="welcome"
      tabIndex={closed === null ? -1 : 0}
      className="flex min-h-0 flex-1 flex-col overflow-y-auto px-6 py-8 text-center outline-offset-[-2px] low:py-2"
    >
      <div className="m-auto flex w-full flex-col items-center">
        <h2 id="welcome" className="text-2xl font-semibold tracking-tight text-balance sm:text-3xl">
          {begun ? t('welcome.empty') : t('welcome.title')}
        </h2>
        <p className="mt-2 text-soft">{closed === null ? t('welcome.lead') : t(`closed.${closed}.lead`)}</p>
        <ul className="mt-8 grid w-full max-w-2xl gap-2 sm:grid-cols-3">
          {IDEAS.map((idea) => (
            <li key={idea}>
              <button
                type="button"
                disabled={closed !== null}
                onClick={() => onAsk(t(`ideas.${idea}.ask`))}
                className="flex h-full w-full flex-col items-start gap-0.5 rounded-xl border border-line bg-raised px-4 py-3 text-left text-sm enabled:hover:bg-hover disabled:cursor-not-allowed disabled:opacity-50"
              >
                <span className="font-medium">{t(`ideas.${idea}.title`)}</span>
                <span className="text-faint">{t(`ideas.${idea}.ask`)}</span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
