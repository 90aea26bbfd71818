import { lazy, useState, type ReactNode } from 'react';
import { OnDemand } from '../OnDemand.tsx';
import type { MenuProps } from './menu-entry.ts';

const loadMenu = () => import('./OpenMenu.tsx');
const OpenMenu = lazy(() => loadMenu().then(({ OpenMenu }) => ({ default: OpenMenu })));

/**
 * A button with a menu. The menu's code loads when the pointer or the focus first comes to the button, so that the page
 * need not wait for it.
 */
export function Menu(props: MenuProps) {
  const [wanted, setWanted] = useState(false);
  const { entries: _entries, align: _align, width: _width, keepFocus: _keepFocus, ...button } = props;
  const closed: ReactNode = (
    <button
      type="button"
      aria-haspopup="menu"
      aria-expanded="false"
      {...button}
      onPointerEnter={prepare}
      onFocus={prepare}
      onClick={() => setWanted(true)}
      onKeyDown={(event) => {
        if (event.key === 'ArrowDown') setWanted(true);
      }}
    />
  );
  return wanted ? (
    <OnDemand closed={closed} onClose={() => setWanted(false)}>
      <OpenMenu {...props} />
    </OnDemand>
  ) : (
    closed
  );
}

function prepare(): void {
  void loadMenu().catch(() => {});
}
