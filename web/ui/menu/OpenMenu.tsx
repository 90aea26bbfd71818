import { Check } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { Link } from 'wouter';
import type { Entry, MenuProps, Option } from './menu-entry.ts';

const ITEM =
  'flex w-full items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-left text-sm outline-none select-none pointer-coarse:min-h-11 data-[highlighted]:bg-hover';
const TILE =
  'flex flex-1 flex-col items-center gap-1 rounded-lg py-2 text-xs text-soft outline-none select-none data-[highlighted]:bg-hover data-[state=checked]:bg-accent-tint data-[state=checked]:text-accent';

/** The menu is open from the start, because it is drawn only when somebody opens it. */
export function OpenMenu({ entries, align = 'end', width = 'w-56', keepFocus = false, ...button }: MenuProps) {
  return (
    <DropdownMenu.Root defaultOpen>
      <DropdownMenu.Trigger type="button" {...button} />
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          sideOffset={6}
          collisionPadding={8}
          onCloseAutoFocus={(event) => {
            if (keepFocus) event.preventDefault();
          }}
          className={`z-50 max-h-(--radix-dropdown-menu-content-available-height) max-w-[92vw] animate-rise overflow-y-auto rounded-xl border border-line bg-raised p-1.5 shadow-float outline-none ${width}`}
        >
          {entries.map((entry, i) => (
            <Item key={i} entry={entry} />
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function Item({ entry }: { entry: Entry }) {
  switch (entry.kind) {
    case 'title':
      return (
        <DropdownMenu.Label className="px-2.5 pt-1 pb-2 text-sm">
          <span className="block truncate font-medium">{entry.label}</span>
          <span className="text-faint">{entry.hint}</span>
        </DropdownMenu.Label>
      );
    case 'line':
      return <DropdownMenu.Separator className="my-1.5 h-px bg-line" />;
    case 'action':
      return (
        <DropdownMenu.Item className={ITEM} onSelect={entry.onSelect}>
          <entry.icon aria-hidden className="size-4" />
          {entry.label}
        </DropdownMenu.Item>
      );
    case 'link':
      return (
        <DropdownMenu.Item asChild className={ITEM}>
          <Link href={entry.href}>
            <entry.icon aria-hidden className="size-4" />
            {entry.label}
          </Link>
        </DropdownMenu.Item>
      );
    case 'choice':
      return (
        <DropdownMenu.RadioGroup
          aria-label={entry.label}
          value={entry.value}
          onValueChange={entry.onChoose}
          className={entry.inRow === true ? 'flex gap-1' : ''}
        >
          {entry.options.map((option) => (
            <Choice key={option.value} option={option} inRow={entry.inRow === true} />
          ))}
        </DropdownMenu.RadioGroup>
      );
  }
}

function Choice({ option: { value, label, hint, icon: Icon }, inRow }: { option: Option; inRow: boolean }) {
  if (inRow)
    return (
      <DropdownMenu.RadioItem value={value} className={TILE} onSelect={(event) => event.preventDefault()}>
        {Icon && <Icon aria-hidden className="size-4" />}
        {label}
      </DropdownMenu.RadioItem>
    );
  return (
    <DropdownMenu.RadioItem value={value} className={`${ITEM} justify-between`}>
      <span>
        <span className="block">{label}</span>
        {hint !== undefined && <span className="block text-xs text-faint">{hint}</span>}
      </span>
      <DropdownMenu.ItemIndicator>
        <Check aria-hidden className="size-4 text-accent" />
      </DropdownMenu.ItemIndicator>
    </DropdownMenu.RadioItem>
  );
}
