/** The theme follows the system unless the person chose one in this browser. */
export type Theme = 'system' | 'light' | 'dark';

const STORED = 'turnkeeper.theme';

export function currentTheme(): Theme {
  const stored = localStorage.getItem(STORED);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

export function applyTheme(theme = currentTheme()): void {
  if (theme === 'system') {
    localStorage.removeItem(STORED);
    delete document.documentElement.dataset['theme'];
  } else {
    localStorage.setItem(STORED, theme);
    document.documentElement.dataset['theme'] = theme;
  }
  // What stands around the page, such as a phone's status bar, has the page's colour, not the system's.
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    meta.dataset['own'] ??= meta.content;
    meta.content = theme === 'system' ? meta.dataset['own'] : COLOUR[theme];
  }
}

const COLOUR = { light: '#faf9f7', dark: '#161618' } as const;
