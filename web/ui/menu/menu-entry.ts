import type { LucideIcon } from 'lucide-react';
import type { ComponentProps } from 'react';

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
  /** Whether the focus stays where an action of the menu has moved it. */
  readonly keepFocus?: boolean;
}
