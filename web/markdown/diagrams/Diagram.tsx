import { Code, Image } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { useDark } from './use-dark.ts';
import { drawDiagram } from './draw.ts';
import type { Drawing } from './frame.ts';

/** A wider picture is made no smaller than this, and is scrolled. */
const READABLE_PX = 480;

type Drawn = Drawing & { readonly src: string };

/**
 * A diagram of Mermaid as a picture, and its code at the press of a button. What cannot be drawn stays code, and says
 * so.
 * @param source the code as it is shown.
 */
export function Diagram({ code, source }: { code: string; source: ReactNode }) {
  const { t } = useTranslation('chat');
  const dark = useDark();
  const [drawn, setDrawn] = useState<Drawn | 'failed' | null>(null);
  const [asCode, setAsCode] = useState(false);
  useEffect(() => {
    let current = true;
    drawDiagram(code, dark).then(
      (drawing) => current && setDrawn(drawing),
      () => current && setDrawn('failed'),
    );
    return () => {
      current = false;
    };
  }, [code, dark]);
  const picture = drawn === 'failed' ? null : drawn;
  const Icon = asCode ? Image : Code;
  return (
    <figure className="code" dir="ltr">
      <figcaption>
        <span>mermaid</span>
        <span className="flex items-center">
          {picture !== null && (
            <button
              type="button"
              onClick={() => setAsCode(!asCode)}
              className="flex items-center gap-1.5 rounded-md px-2 py-1 hover:bg-hover hover:text-ink"
            >
              <Icon aria-hidden className="size-3.5" />
              {asCode ? t('diagram.show') : t('diagram.code')}
            </button>
          )}
          <CopyButton text={code} label={t('copyCode')} />
        </span>
      </figcaption>
      {picture !== null && !asCode ? (
        <div tabIndex={0} role="group" aria-label={t('diagram.label')} className="overflow-x-auto p-4">
          <img
            src={picture.src}
            width={picture.width}
            height={picture.height}
            alt={t('diagram.alt')}
            style={{ minWidth: Math.min(picture.width, READABLE_PX) }}
            className="mx-auto h-auto max-w-full"
          />
        </div>
      ) : (
        source
      )}
      <p role="status" className="border-t border-line px-4 py-2 text-sm text-soft empty:hidden">
        {drawn === 'failed' && t('diagram.failed')}
      </p>
    </figure>
  );
}
