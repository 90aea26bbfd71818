/** The look of what is typed or chosen in a form. */
export const FIELD = 'h-10 w-full min-w-0 rounded-lg border border-line bg-raised px-3 text-ink';
