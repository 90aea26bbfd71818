/** What a letter says, before it is laid out. */
export interface Letter {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  readonly facts: readonly (readonly [string, string])[];
  /** A button. A path is below the web app's address. */
  readonly action: { readonly label: string; readonly to: string } | null;
}
