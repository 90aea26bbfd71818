import type { ComponentProps } from 'react';

const SHAPE =
  'inline-flex items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-50';
const LOOK = {
  primary: 'bg-accent-fill text-white enabled:hover:bg-accent-press',
  quiet: 'border border-line bg-raised text-ink enabled:hover:bg-hover',
  bare: 'text-soft enabled:hover:bg-hover enabled:hover:text-ink',
  danger: 'bg-bad-fill text-white enabled:hover:brightness-90',
} as const;
/** Under a finger they are larger. */
const SIZE = {
  small: 'h-8 px-3 text-sm pointer-coarse:h-10',
  medium: 'h-10 px-4 pointer-coarse:h-11',
  icon: 'size-9 pointer-coarse:size-11',
} as const;

export interface ButtonLook {
  readonly look?: keyof typeof LOOK;
  readonly size?: keyof typeof SIZE;
}

/** The classes of a button, for links that look like one. */
export function buttonClass({ look = 'quiet', size = 'medium' }: ButtonLook, more = ''): string {
  return `${SHAPE} ${LOOK[look]} ${SIZE[size]} ${more}`;
}

export function Button({ look, size, className, ...rest }: ComponentProps<'button'> & ButtonLook) {
  return (
    <button
      type="button"
      {...rest}
      className={buttonClass({ ...(look && { look }), ...(size && { size }) }, className)}
    />
  );
}
