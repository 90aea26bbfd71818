import type { LucideIcon } from 'lucide-react';
import { lazy, useState, type ComponentProps, type ReactNode } from 'react';
import { OnDemand } from './OnDemand.tsx';

const loadMenu = () => import('./OpenMenu.tsx');
const OpenMenu = lazy(() => loadMenu().then(({ OpenMenu }) => ({ default: OpenMenu })));

export interface Option {
  readonly value: string;
  readonly label: string;
  readonly hint?: string;
  readonly icon?: LucideIcon;
}

export type Entry =
  | { readonly kind: 'title'; readonly label: string; readonly hint: string }
  | { readonly kind: 'action'; readonly label: string; readonly icon: LucideIcon; readonly onSelect: () => void }
  | { readonly kind: 'link'; readonly label: string; readonly icon: LucideIcon; readonly href: string }
  | {
      readonly kind: 'choice';
      readonly label: string;
      readonly value: string;
      readonly options: readonly Option[];
      readonly inRow?: boolean;
      readonly onChoose: (value: string) => void;
    }
  | { readonly kind: 'line' };

export interface MenuProps extends ComponentProps<'button'> {
  readonly entries: readonly Entry[];
  readonly align?: 'start' | 'end';
  readonly width?: string;
  /** Where the focus goes when an action of the menu has moved it. */
  readonly keepFocus?: boolean;
}

/**
 * A button with a menu. The menu's code comes when a hand or the focus first nears the button: the page does not wait
 * for it.
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
