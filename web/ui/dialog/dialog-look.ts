/** The look of dialogs over the page. */
export const OVERLAY = 'fixed inset-0 z-50 bg-black/40';
export const DIALOG =
  'fixed top-1/2 left-1/2 z-50 max-h-[90dvh] w-[min(28rem,calc(100vw-2rem))] -translate-1/2 overflow-y-auto rounded-2xl border border-line bg-raised p-6 shadow-float outline-none';
