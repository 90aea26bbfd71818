import 'i18next';
import type adminHome from './ko/admin-home.json';
import type admin from './ko/admin.json';
import type chat from './ko/chat.json';
import type common from './ko/common.json';
import type instructions from './ko/instructions.json';
import type files from './ko/files.json';
import type keys from './ko/keys.json';
import type preferences from './ko/preferences.json';
import type purchase from './ko/purchase.json';
import type reports from './ko/reports.json';
import type shortcuts from './ko/shortcuts.json';
import type sharing from './ko/sharing.json';
import type signIn from './ko/sign-in.json';
import type usagePage from './ko/usage-page.json';
import type usage from './ko/usage.json';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common';
    resources: {
      admin: typeof admin;
      'admin-home': typeof adminHome;
      common: typeof common;
      chat: typeof chat;
      instructions: typeof instructions;
      files: typeof files;
      keys: typeof keys;
      preferences: typeof preferences;
      purchase: typeof purchase;
      reports: typeof reports;
      sharing: typeof sharing;
      shortcuts: typeof shortcuts;
      'sign-in': typeof signIn;
      usage: typeof usage;
      'usage-page': typeof usagePage;
    };
  }
}
