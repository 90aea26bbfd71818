import type { LucideIcon } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useHindrance } from './hindrance.ts';
import { Tool } from './Tool.tsx';

/** A button that asks something of the model. What hinders it is said when it is pressed, and nothing is sent. */
export function Asking({
  icon,
  label,
  said = false,
  conversationId,
  onAsk,
}: {
  icon: LucideIcon;
  label: string;
  /** Whether the label shows beside the icon. */
  said?: boolean;
  conversationId: string;
  onAsk: () => void;
}) {
  const { t } = useTranslation('chat');
  const hindrance = useHindrance(conversationId);
  const [pressed, setPressed] = useState(false);
  return (
    <>
      <Tool
        icon={icon}
        label={label}
        said={said}
        onPress={() => {
          setPressed(hindrance !== null);
          if (hindrance === null) onAsk();
        }}
      />
      <span role="status" className="text-xs text-soft empty:hidden">
        {pressed && hindrance !== null && t(`hindered.${hindrance}`)}
      </span>
    </>
  );
}
