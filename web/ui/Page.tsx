import { useEffect, useRef, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { mayTakeFocus } from './focus/arrival.ts';
import { TopBar } from './TopBar.tsx';

/**
 * A page with a title and content. Its heading takes the focus when it opens, so that a screen reader begins there, but
 * not when its title changes, with the language for example.
 */
export function Page({
  title,
  wide = false,
  actions,
  children,
}: {
  title: string;
  wide?: boolean;
  actions?: ReactNode;
  children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const [location] = useLocation();
  useEffect(() => {
    document.title = `${title} · Turnkeeper`;
  }, [title]);
  useEffect(() => {
    if (mayTakeFocus()) heading.current?.focus({ preventScroll: true });
  }, [location]);
  return (
    <>
      <TopBar />
      {/* What is placed out of sight is placed in here: the document itself has nothing to scroll. */}
      <main className="relative min-h-0 flex-1 overflow-y-auto">
        <div className={`mx-auto w-full px-5 pt-6 pb-16 sm:px-8 ${wide ? 'max-w-6xl' : 'max-w-3xl'}`}>
          <div className="mb-6 flex flex-wrap items-center justify-between gap-3">
            <h1 ref={heading} tabIndex={-1} className="text-2xl font-semibold tracking-tight outline-none">
              {title}
            </h1>
            {actions}
          </div>
          {children}
        </div>
      </main>
    </>
  );
}
