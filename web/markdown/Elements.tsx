import { ImageOff } from 'lucide-react';
import type { Components } from 'hast-util-to-jsx-runtime';
import { isValidElement, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { CodeBlock } from './CodeBlock.tsx';
import { FootnoteLink } from './Footnotes.tsx';
import { Formula } from './Formula.tsx';

/**
 * The components for Markdown's elements. Links open in another tab and send no referrer. A picture is never loaded,
 * only named and linked.
 */
export const COMPONENTS: Partial<Components> = {
  a: ({ href, children }) => <OutsideLink href={href}>{children}</OutsideLink>,
  img: ({ src, alt }) => <Picture src={src} alt={alt} />,
  pre: ({ children }) => {
    const { className, children: code } = isValidElement<{ className?: string; children?: unknown }>(children)
      ? children.props
      : {};
    return (
      <CodeBlock
        language={/language-(\S+)/.exec(className ?? '')?.[1] ?? ''}
        code={typeof code === 'string' ? code.replace(/\n$/, '') : ''}
      />
    );
  },
  table: ({ children }) => <TableFrame>{children}</TableFrame>,
  div: (props) => <Formula source={attribute(props, 'data-formula')} display />,
  span: (props) => <Formula source={attribute(props, 'data-formula')} display={false} />,
  sup: (props) => (
    <FootnoteLink note={attribute(props, 'data-note')} number={Number(attribute(props, 'data-number'))} />
  ),
  input: ({ checked }) => <input type="checkbox" checked={checked ?? false} readOnly disabled />,
};

/** A table that is wider than the page is scrolled by itself. */
export function TableFrame({ children }: { children?: ReactNode }) {
  return (
    <div className="table-scroll" tabIndex={0} role="group">
      <table>{children}</table>
    </div>
  );
}

function attribute(props: object, name: string): string {
  const value = (props as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Allows only web and mail addresses: `javascript:`, `data:` and whatever else a browser might run stay text. */
export function isSafeLink(href: unknown): href is string {
  if (typeof href !== 'string' || !URL.canParse(href)) return false;
  return ['http:', 'https:', 'mailto:'].includes(new URL(href).protocol);
}

function OutsideLink({ href, children }: { href?: string | undefined; children?: ReactNode }) {
  if (!isSafeLink(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function Picture({ src, alt }: { src?: string | Blob | undefined; alt?: string | undefined }) {
  const { t } = useTranslation('chat');
  const name = alt === undefined || alt === '' ? t('picture') : alt;
  return (
    <span className="inline-flex items-center gap-1.5 rounded-md bg-panel px-2 py-0.5 text-sm">
      <ImageOff aria-hidden className="size-3.5" />
      {isSafeLink(src) ? (
        <a href={src} target="_blank" rel="noopener noreferrer nofollow">
          {name}
        </a>
      ) : (
        name
      )}
    </span>
  );
}
