import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '../ui/CopyButton.tsx';

/** A code block is plain at first and is coloured when its language has loaded, which moves nothing. */
export function CodeBlock({ language, code }: { language: string; code: string }) {
  const { t } = useTranslation('chat');
  const coloured = useColours(language, code);
  return (
    <figure className="code">
      <figcaption>
        <span>{language === '' ? t('code') : language}</span>
        <CopyButton text={code} label={t('copyCode')} />
      </figcaption>
      <pre tabIndex={0}>
        <code>{coloured ?? code}</code>
      </pre>
    </figure>
  );
}

const QUIET_MS = 150;

function useColours(language: string, code: string): ReactNode {
  const [done, setDone] = useState<{ code: string; coloured: ReactNode } | null>(null);
  useEffect(() => {
    if (language === '' || code === '') return;
    let current = true;
    // Colouring waits until the block is quiet; otherwise every delta would colour it again.
    const timer = setTimeout(() => {
      void import('./highlight.ts').then(
        ({ highlight }) => {
          if (current) setDone({ code, coloured: highlight(language, code) });
        },
        () => {},
      );
    }, QUIET_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [language, code]);
  return done?.code === code ? done.coloured : null;
}
