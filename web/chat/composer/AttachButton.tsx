import { Paperclip } from 'lucide-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/Button.tsx';

/** Named so, a phone offers its camera and its photos, and turns the photos of its own format into JPEG. */
const TAKEN = 'image/png,image/jpeg,image/webp,image/gif,text/*,.md,.csv,.json,.log,.yaml,.yml';

export function AttachButton({ onChoose }: { onChoose: (files: FileList) => void }) {
  const { t } = useTranslation('chat');
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        accept={TAKEN}
        hidden
        onChange={({ target }) => {
          if (target.files !== null) onChoose(target.files);
          // The same file may be chosen again.
          target.value = '';
        }}
      />
      <Button
        look="bare"
        size="icon"
        className="shrink-0"
        aria-label={t('attach')}
        onClick={() => input.current?.click()}
      >
        <Paperclip aria-hidden className="size-4" />
      </Button>
    </>
  );
}
