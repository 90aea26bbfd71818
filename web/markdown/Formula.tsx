import { memo, useEffect, useLayoutEffect, useRef, useState } from 'react';

type Katex = typeof import('./katex.ts');
let loaded: Katex | null = null;

/** A formula in LaTeX. Until its renderer has loaded, and when it is not one, its source is shown. */
export const Formula = memo(function Formula({ source, display }: { source: string; display: boolean }) {
  const [katex, setKatex] = useState(loaded);
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    let current = true;
    if (katex === null)
      void import('./katex.ts').then(
        (module) => {
          loaded = module;
          if (current) setKatex(module);
        },
        () => {},
      );
    return () => {
      current = false;
    };
  }, [katex]);
  useLayoutEffect(() => {
    if (katex !== null && place.current !== null) katex.drawFormula(place.current, source, display);
  }, [katex, source, display]);
  const Tag = display ? 'div' : 'span';
  return (
    <Tag className={display ? 'formula' : undefined} tabIndex={display ? 0 : undefined}>
      <span ref={place}>{katex === null ? source : null}</span>
    </Tag>
  );
});
