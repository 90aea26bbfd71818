import type { LucideIcon } from 'lucide-react';
import type { ComponentProps } from 'react';

/** A small button under a question or an answer. One that is `off` keeps its place and the focus, and does nothing. */
export function Tool({
  icon: Icon,
  label,
  off = false,
  said = false,
  onPress,
  ...rest
}: {
  icon: LucideIcon;
  label: string;
  off?: boolean;
  /** Whether the label shows beside the icon. */
  said?: boolean;
  onPress: () => void;
} & Omit<ComponentProps<'button'>, 'onClick'>) {
  return (
    <button
      type="button"
      {...rest}
      aria-label={label}
      title={said ? undefined : label}
      aria-disabled={off}
      onClick={() => {
        if (!off) onPress();
      }}
      className="flex items-center gap-1.5 rounded-md p-1.5 text-xs pointer-coarse:p-3 text-faint hover:bg-hover hover:text-ink aria-disabled:cursor-not-allowed aria-disabled:opacity-40 aria-pressed:text-accent"
    >
      <Icon aria-hidden className="size-3.5" />
      {said && label}
    </button>
  );
}
