import 'i18next';
import type adminHome from './ko/admin-home.json';
import type admin from './ko/admin.json';
import type banner from './ko/banner.json';
import type chat from './ko/chat.json';
import type common from './ko/common.json';
import type instructions from './ko/instructions.json';
import type files from './ko/files.json';
import type deliveries from './ko/deliveries.json';
import type invitation from './ko/invitation.json';
import type keys from './ko/keys.json';
import type models from './ko/models.json';
import type people from './ko/people.json';
import type preferences from './ko/preferences.json';
import type purchase from './ko/purchase.json';
import type reports from './ko/reports.json';
import type shortcuts from './ko/shortcuts.json';
import type sharing from './ko/sharing.json';
import type signIn from './ko/sign-in.json';
import type usagePage from './ko/usage-page.json';
import type usage from './ko/usage.json';
import type words from './ko/words.json';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common';
    resources: {
      admin: typeof admin;
      'admin-home': typeof adminHome;
      common: typeof common;
      banner: typeof banner;
      chat: typeof chat;
      instructions: typeof instructions;
      files: typeof files;
      deliveries: typeof deliveries;
      invitation: typeof invitation;
      keys: typeof keys;
      models: typeof models;
      people: typeof people;
      preferences: typeof preferences;
      purchase: typeof purchase;
      reports: typeof reports;
      sharing: typeof sharing;
      shortcuts: typeof shortcuts;
      'sign-in': typeof signIn;
      usage: typeof usage;
      words: typeof words;
      'usage-page': typeof usagePage;
    };
  }
}
